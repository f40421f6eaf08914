# SPDX-License-Identifier: Apache-2.0
"""ADD and SUB: both operands go to a common scale with 20 more bits, twice the larger one, then to the output's."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.export.ops.base import Call
from tinyproof.export.ops.elementwise import Elementwise, encode

_MORE_BITS = 20


class Add(Elementwise):
    """micro/kernels/add_common.cc. The operand with the larger scale is rescaled by exactly 1/2: for it, a shift."""

    names = ("ADD",)
    code_bytes = 260
    max_version = 5
    kernel = "add_s8"
    signs = (1, 1)

    def prepare(self) -> None:
        scales = [x.scales[0] for x in self.operands]
        self.order = (1, 2) if scales[0] >= scales[1] else (2, 1)  # the larger scale first
        twice = 2 * max(scales)
        small, total = min(scales) / twice, twice / (2**_MORE_BITS * self.y.scales[0])
        if not (0 < small < 1 and 0 < total < 1) or quantize_multiplier(total)[1] > 0:
            raise self.refuse("its scales are too far apart: the output's must be over 2^-19 of the larger operand's")
        self.small, self.total = encode(*quantize_multiplier(small)), encode(*quantize_multiplier(total))

    def calls(self, prefix: str) -> list[Call]:
        arguments = tuple(self.argument(position, prefix) for position in self.order)
        return [Call(arguments, self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        large, small = (position - 1 for position in self.order)
        numbers = {
            "zero_point1": self.operands[large].zero_points[0],
            "zero_point2": self.operands[small].zero_points[0],
            "sign1": self.signs[large],
            "sign2": self.signs[small],
            "multiplier2": self.small[0],
            "shift2": self.small[1],
            "multiplier": self.total[0],
            "shift": self.total[1],
            "zero_point": self.y.zero_points[0],
            "clamp_min": self.clamp[0],
            "clamp_max": self.clamp[1],
        }
        return self.walk(*self.order) | {name: str(value) for name, value in numbers.items()}


class Sub(Add):
    """micro/kernels/sub_common.cc."""

    names = ("SUB",)
    signs = (1, -1)
