# SPDX-License-Identifier: Apache-2.0
"""PRELU: x, or x times a slope where x is negative, each with a factor of its own."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise
from tinyproof.export.ops.requantize_encoding import encode, factor

# What is left of 32 bits beside the zero point for x, and for x times its slope.
_MAX_LEFT_SHIFTS = {"int8": (22, 14), "int16": (14, 6)}


class Prelu(Elementwise):
    """micro/kernels/prelu_common.cc. The slopes are int8, those of int16 activations, too."""

    names = ("PRELU",)
    code_bytes = 260
    max_version = 1
    types = ("int8", "int16")

    def read_operands(self) -> tuple[Tensor, ...]:
        x, slopes = (self.tensor(self.operator.inputs, i, role) for i, role in enumerate(("input", "slopes")))
        self.check_type(x, "input", self.types)
        self.check_type(slopes, "slopes", ("int8",))
        return x, slopes

    def prepare(self) -> None:
        self.kernel = f"prelu_{SUFFIXES[self.dtype]}"
        scales = [x.scales[0] for x in self.operands]
        reals = (scales[0] / self.y.scales[0], scales[0] * scales[1] / self.y.scales[0])
        for real, most in zip(reals, _MAX_LEFT_SHIFTS[self.dtype], strict=True):
            if not real < 2.0**most or quantize_multiplier(real)[1] > most:
                raise self.refuse(f"rescales by {real:.3g}; supported is less than 2^{most}: check the scales")
        self.factors = [encode(*quantize_multiplier(real)) for real in reals]

    def numbers(self) -> dict[str, int]:
        return {
            "zero_point1": self.operands[0].zero_points[0],
            "zero_point2": self.operands[1].zero_points[0],
            **factor("1", self.factors[0]),
            **factor("2", self.factors[1]),
            "zero_point": self.y.zero_points[0],
        }
