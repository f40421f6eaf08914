# SPDX-License-Identifier: Apache-2.0
"""MUL: y_q = zero_point + rescale((x1_q - zero_point1) (x2_q - zero_point2)), micro/kernels/mul_common.cc."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise
from tinyproof.export.ops.requantize_encoding import encode, factor

# 255 * 255 << 15 is the last that leaves room for the zero point in 32 bits; of int16, 2^15 * 2^15 is.
_MAX_LEFT_SHIFT = {"int8": 15, "int16": 0}


class Mul(Elementwise):
    names = ("MUL",)
    code_bytes = 300
    max_version = 7
    types = ("int8", "int16", "int32")

    def prepare(self) -> None:
        self.kernel = f"mul_{SUFFIXES[self.dtype]}"
        self.bounds = self.clamp()
        if self.dtype == "int32":
            return
        if self.dtype == "int16" and any(x.zero_points[0] for x in (*self.operands, self.y)):
            raise self.refuse("has int16 with a zero point; TFLite Micro takes it as 0 alone")
        real = self.operands[0].scales[0] * self.operands[1].scales[0] / self.y.scales[0]
        most = _MAX_LEFT_SHIFT[self.dtype]
        if not real < 2.0**most or quantize_multiplier(real)[1] > most:
            raise self.refuse(f"rescales by {real:.3g}; supported is less than 2^{most}: check the scales")
        self.rescale = encode(*quantize_multiplier(real))

    def numbers(self) -> dict[str, int]:
        clamp = {"clamp_min": self.bounds[0], "clamp_max": self.bounds[1]}
        if self.dtype == "int32":
            return clamp
        if self.dtype == "int16":
            return {**factor("", self.rescale), **clamp}
        return {
            "zero_point1": self.operands[0].zero_points[0],
            "zero_point2": self.operands[1].zero_points[0],
            **factor("", self.rescale),
            "zero_point": self.y.zero_points[0],
            **clamp,
        }
