# SPDX-License-Identifier: Apache-2.0
"""ELU, RSQRT and LOGICAL_NOT: tables, but for an RSQRT of int16."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier
from tinyproof.core.tflite.curves import RSQRT_BITS, elu, rsqrt
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.lookup import Lookup
from tinyproof.export.ops.requantize_encoding import encode, factor
from tinyproof.export.ops.signs import is_never_negative


class Elu(Lookup):
    """exp(x) - 1 below 0, x from there on, in float32 (micro/kernels/elu.cc)."""

    names = ("ELU",)
    max_version = 1

    def prepare(self) -> None:
        x_scale, y_scale = self.x.scales[0], self.y.scales[0]
        if not (x_scale < 2.0**64 and max(256 * x_scale, 1.0) / y_scale < 2.0**30):
            raise self.refuse("its scales are too far apart: its answer would leave 32 bits")

    def answer(self, x_q: int) -> int:
        return elu(x_q - self.x.zero_points[0], self.x.scales[0], self.y.scales[0]) + self.y.zero_points[0]


class Rsqrt(Lookup):
    """1 / sqrt(x), the largest number for 0 (micro/kernels/elementwise.cc)."""

    names = ("RSQRT",)
    max_version = 2
    pairs = (("int8", "int8"), ("int16", "int16"))

    def prepare(self) -> None:
        if self.x.zero_points[0] != DTYPES[self.x.dtype].low and not is_never_negative(self.graph, self.x):
            raise self.refuse(
                f"input {self.x.label} may be negative, where TFLite Micro stops; supported are what follows from "
                f"squares and sums of them, and a zero point of {INT8_MIN}: calibrate with samples for which it is "
                "positive"
            )
        if not self.is_looked_up and (self.x.zero_points[0] or self.y.zero_points[0]):
            raise self.refuse("has int16 with a zero point; tinyproof takes it as 0 alone")
        real = 1 / (math.sqrt(self.x.scales[0]) * self.y.scales[0])
        self.rescale = quantize_multiplier(real)
        if not -11 <= self.rescale[1] <= 30:
            raise self.refuse(f"rescales by {real:.3g}; supported is 2^-12 to 2^30: check the scales")

    def answer(self, x_q: int) -> int:
        x = x_q - self.x.zero_points[0]
        return INT8_MAX if x <= 0 else rsqrt(x, *self.rescale) + self.y.zero_points[0]

    def wide_kernel(self, x: str, y: str) -> str:
        return f"rsqrt_{x}"

    def wide_parameters(self, prefix: str) -> dict[str, str]:
        multiplier, shift = self.rescale
        return {name: str(number) for name, number in factor("", encode(multiplier, shift - RSQRT_BITS)).items()}


class LogicalNot(Lookup):
    """micro/kernels/elementwise.cc."""

    names = ("LOGICAL_NOT",)
    max_version = 1
    pairs = (("bool", "bool"),)

    def end(self, indices: tuple[int, ...], role: str, types: tuple[str, ...]) -> Tensor:
        return self.computed(indices, 0, role, types)

    def prepare(self) -> None:
        pass

    def answer(self, x_q: int) -> int:
        return int(x_q == 0)
