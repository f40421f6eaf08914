# SPDX-License-Identifier: Apache-2.0
"""RELU, RELU6 and LEAKY_RELU that are not fused into another operator."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, float32, requantize, round_half_away
from tinyproof.export.ops.lookup import Lookup


class Relu(Lookup):
    """max(x, 0), rescaled to the output (micro/kernels/activations_common.cc, CalculateReluOpData)."""

    names = ("RELU",)
    max_version = 3

    def prepare(self) -> None:
        self.rescale = self.scale_ratio(self.x.scales[0] / self.y.scales[0])

    def answer(self, x_q: int) -> int:
        y_q = self.y.zero_points[0] + requantize(x_q - self.x.zero_points[0], *self.rescale)
        return max(y_q, self.y.zero_points[0])


class Relu6(Lookup):
    """min(max(x, 0), 6). TFLM clamps the bytes and never rescales, so both tensors need one quantization."""

    names = ("RELU6",)
    max_version = 3

    def prepare(self) -> None:
        if (self.x.scales, self.x.zero_points) != (self.y.scales, self.y.zero_points):
            raise self.refuse(
                "input and output differ in scale or zero point, which TFLite Micro ignores; fuse RELU6 into the "
                "operator before it, or quantize both alike"
            )
        self.zero = self.x.zero_points[0]
        steps = float32(6.0 / self.x.scales[0])
        if not steps < 2**31:
            raise self.refuse(f"6 is more than 32 bits of the input's scale, {self.x.scales[0]:.3g}")
        six = round_half_away(steps) + self.zero
        self.six = min(max(six, INT8_MIN), INT8_MAX)

    def answer(self, x_q: int) -> int:
        return min(max(x_q, self.zero), self.six)


class LeakyRelu(Lookup):
    """x, or alpha x where x is negative, each with a multiplier of its own (micro/kernels/leaky_relu_common.cc)."""

    names = ("LEAKY_RELU",)
    max_version = 2

    def prepare(self) -> None:
        alpha = self.operator.real_options.get("alpha", 0.0)
        if not 0.0 <= alpha < math.inf:
            raise self.refuse(f"alpha {alpha:.6g} is not supported; supported are 0 and more")
        x_scale, y_scale = self.x.scales[0], self.y.scales[0]
        self.identity = self.scale_ratio(x_scale / y_scale)
        self.negative = self.scale_ratio(x_scale * alpha / y_scale)

    def answer(self, x_q: int) -> int:
        x = x_q - self.x.zero_points[0]
        return self.y.zero_points[0] + requantize(x, *(self.identity if x >= 0 else self.negative))
