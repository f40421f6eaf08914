# SPDX-License-Identifier: Apache-2.0
"""ADD and SUB: both operands go to twice the larger scale with 20 more bits (int16: 15), then to the output's."""

from __future__ import annotations

import math
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.export.ops.base import Op, RowPart, RowWalk
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise
from tinyproof.export.ops.requantize_encoding import encode, factor

MORE_BITS = {"int8": 20, "int16": 15}


class Add(Elementwise):
    """micro/kernels/add_common.cc. The operand with the larger scale is rescaled by exactly 1/2: for it, a shift."""

    names = ("ADD",)
    code_bytes = 400
    max_version = 5
    types = ("int8", "int16", "int32")
    signs: ClassVar[tuple[int, int]] = (1, 1)
    unscaled: ClassVar[int] = 2  # of both operands and the output, how many have no scale where they are int32

    def prepare(self) -> None:
        self.kernel = f"add_{SUFFIXES[self.dtype]}"
        if self.dtype == "int32":
            self.bounds = self.clamp_int32()
            quantized = [x for x in (*self.operands, self.y)[: self.unscaled] if x.scales]
            if quantized:
                raise self.refuse(f"{quantized[0].label} is int32 with a scale; TFLite Micro takes int32 without one")
            return
        self.bounds = self.fused_clamp(self.y)
        scales = [x.scales[0] for x in self.operands]
        self.order = (1, 2) if scales[0] >= scales[1] else (2, 1)  # the larger scale first
        twice = 2 * max(scales)
        small, total = min(scales) / twice, twice / (2 ** MORE_BITS[self.dtype] * self.y.scales[0])
        if not (0 < small < 1 and 0 < total < 1) or quantize_multiplier(total)[1] > 0:
            bits = MORE_BITS[self.dtype] - 1
            raise self.refuse(
                f"its scales are too far apart: the output's must be over 2^-{bits} of the larger operand's"
            )
        self.small, self.total = encode(*quantize_multiplier(small)), encode(*quantize_multiplier(total))

    @property
    def row_walk(self) -> RowWalk | None:
        alike = all(x.shape == self.y.shape and x.data is None for x in self.operands)
        images = len(self.y.shape) == 4 and self.y.shape[0] == 1 and len(self.inputs) == 2
        if self.dtype != "int8" or not alike or not images:
            return None
        return RowWalk(self.y.shape[1], self.y.shape[1], self._on_rows)

    def _on_rows(self, part: RowPart, like: Op | None) -> Add:
        op = self.copied()
        op.loops = [*self.loops[:-1], (part.outputs * math.prod(self.y.shape[2:]), 1, 1)]
        return op

    @property
    def cost(self) -> int:
        return 50 + 14 * math.prod(count for count, *_ in self.loops)

    def clamp_int32(self) -> tuple[int, int]:
        """TFLite Micro ignores the activation that is fused to an ADD of int32."""
        return -(2**31), 2**31 - 1

    def numbers(self) -> dict[str, int]:
        clamp = {"clamp_min": self.bounds[0], "clamp_max": self.bounds[1]}
        if self.dtype == "int32":
            return {"subtracts": int(self.signs[1] < 0), **clamp}
        large, small = (position - 1 for position in self.order)
        return {
            "zero_point1": self.operands[large].zero_points[0],
            "zero_point2": self.operands[small].zero_points[0],
            "sign1": self.signs[large],
            "sign2": self.signs[small],
            **factor("2", self.small),
            **factor("", self.total),
            "zero_point": self.y.zero_points[0],
            **clamp,
        }


class Sub(Add):
    """micro/kernels/sub_common.cc."""

    names = ("SUB",)
    signs = (1, -1)
    unscaled = 3

    def clamp_int32(self) -> tuple[int, int]:
        return self.clamp()
