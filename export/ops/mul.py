# SPDX-License-Identifier: Apache-2.0
"""MUL: y_q = zero_point + rescale((x1_q - zero_point1) (x2_q - zero_point2)), micro/kernels/mul_common.cc."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.export.ops.base import Call
from tinyproof.export.ops.elementwise import Elementwise, encode

_MAX_LEFT_SHIFT = 15  # 255 * 255 << 15 is the last that leaves room for the zero point in 32 bits


class Mul(Elementwise):
    names = ("MUL",)
    code_bytes = 240
    max_version = 7
    kernel = "mul_s8"

    def prepare(self) -> None:
        real = self.operands[0].scales[0] * self.operands[1].scales[0] / self.y.scales[0]
        if not real < 2.0**_MAX_LEFT_SHIFT or quantize_multiplier(real)[1] > _MAX_LEFT_SHIFT:
            raise self.refuse(f"rescales by {real:.3g}; supported is less than 2^{_MAX_LEFT_SHIFT}: check the scales")
        self.rescale = encode(*quantize_multiplier(real))

    def calls(self, prefix: str) -> list[Call]:
        arguments = (self.argument(1, prefix), self.argument(2, prefix))
        return [Call(arguments, self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "zero_point1": self.operands[0].zero_points[0],
            "zero_point2": self.operands[1].zero_points[0],
            "multiplier": self.rescale[0],
            "shift": self.rescale[1],
            "zero_point": self.y.zero_points[0],
            "clamp_min": self.clamp[0],
            "clamp_max": self.clamp[1],
        }
        return self.walk(1, 2) | {name: str(value) for name, value in numbers.items()}
