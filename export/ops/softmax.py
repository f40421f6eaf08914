# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX along the last dimension, from int8 to int8."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier
from tinyproof.core.tflite.fixed_point import doubling_high_multiply, exp_on_negative_values, input_radius
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op

_INTEGER_BITS = 5  # of the exponent's argument
MAX_DEPTH = 4095  # sums of so many exponentials fit their 12 integer bits
_NEGLIGIBLE = 1 << 11  # below it an exponential adds nothing to the sum, and its own answer rounds to 0


class Softmax(Op):
    """exp(beta (x - max)) / sum. An exponential depends on the distance to the maximum alone: a table, computed here
    with TFLite Micro's arithmetic (reference/softmax.h, quantization_util.cc PreprocessSoftmaxScaling)."""

    names = ("SOFTMAX",)
    code_bytes = 450
    max_version = 3
    kernel = "softmax_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        if self.x.shape != self.y.shape or not self.x.shape or 0 in self.x.shape:
            raise self.refuse(f"output {list(self.y.shape)} and input {list(self.x.shape)} must have the same shape")
        if self.y.scales[0] != 1 / 256 or self.y.zero_points[0] != -128:
            raise self.refuse(
                f"output {self.y.label} must have scale 1/256 and zero point -128: convert the model again"
            )
        self.depth = self.x.shape[-1]
        if self.depth > MAX_DEPTH:
            raise self.refuse(f"is over {self.depth:,} elements; supported are {MAX_DEPTH:,}")
        beta = operator.real_options.get("beta", 0.0)
        real = beta * self.x.scales[0] * 2 ** (31 - _INTEGER_BITS)
        if not 1.0 < real < math.inf:
            raise self.refuse(f"beta {beta:.6g} and the input's scale {self.x.scales[0]:.3g} are not supported")
        multiplier, left_shift = quantize_multiplier(min(real, float(INT32_MAX)))
        self.exponentials: list[int] = []
        for distance in range(min(input_radius(_INTEGER_BITS, left_shift), 255) + 1):
            argument = doubling_high_multiply(-distance << left_shift, multiplier)
            self.exponentials.append(exp_on_negative_values(argument, _INTEGER_BITS))
        while self.exponentials[-1] < _NEGLIGIBLE:
            self.exponentials.pop()

    @property
    def in_place(self) -> bool:
        return True

    def constants(self) -> list[Constant]:
        return [Constant("exponentials", "int32_t", self.exponentials)]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "rows": self.x.elements // self.depth,
            "depth": self.depth,
            "exponentials_count": len(self.exponentials),
        }
        return {name: str(value) for name, value in numbers.items()} | {"exponentials": f"{prefix}_exponentials"}
