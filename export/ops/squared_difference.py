# SPDX-License-Identifier: Apache-2.0
"""SQUARED_DIFFERENCE: both operands on twice the larger scale, the square of their difference on the output's."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise
from tinyproof.export.ops.requantize_encoding import encode, factor

_MORE_BITS = {"int8": 7, "int16": 0}


class SquaredDifference(Elementwise):
    """micro/kernels/squared_difference.cc."""

    names = ("SQUARED_DIFFERENCE",)
    code_bytes = 300
    max_version = 2
    types = ("int8", "int16", "int32")

    def prepare(self) -> None:
        self.kernel = f"squared_difference_{SUFFIXES[self.dtype]}"
        if self.dtype == "int32":
            return
        tensors = (*self.operands, self.y)
        if self.dtype == "int16" and any(x.zero_points[0] for x in tensors):
            raise self.refuse("has int16 with a zero point; TFLite Micro takes it as 0 alone")
        scales = [x.scales[0] for x in self.operands]
        twice = 2 * max(scales)
        real = twice * twice / (2 ** (2 * _MORE_BITS[self.dtype]) * self.y.scales[0])
        # The square has 30 bits at most, so that one more would leave 32.
        if not real < 1 or quantize_multiplier(real)[1] > 0:
            raise self.refuse(f"rescales its square by {real:.3g}; supported is less than 1: check the scales")
        self.factors = [encode(*quantize_multiplier(scale / twice)) for scale in scales]
        self.factors.append(encode(*quantize_multiplier(real)))

    def numbers(self) -> dict[str, int]:
        if self.dtype == "int32":
            return {}
        return {
            "zero_point1": self.operands[0].zero_points[0],
            "zero_point2": self.operands[1].zero_points[0],
            **factor("1", self.factors[0]),
            **factor("2", self.factors[1]),
            **factor("", self.factors[2]),
            "zero_point": self.y.zero_points[0],
            "clamp_min": DTYPES[self.dtype].low,
            "clamp_max": DTYPES[self.dtype].high,
        }
