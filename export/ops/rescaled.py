# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE, RELU, RELU6, LEAKY_RELU and ABS: each element is rescaled, by one factor from its zero point on and perhaps
another one below."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import float32, requantize, round_half_away
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.lookup import Lookup
from tinyproof.export.ops.requantize_encoding import encode, factor

_UNITY = (2**30, 1)  # rescales by exactly 1
_ACTIVATION_PAIRS = (("int8", "int8"), ("int16", "int16"))


class Rescaled(Lookup):
    """y = clamp(zero_point + rescale(x - zero_point_of_x)); below that zero point, rescale(sign (x - ...))."""

    sign = 1

    def prepare(self) -> None:
        y = DTYPES[self.y.dtype]
        self.low, self.high = y.low, y.high
        self.zeros = [tensor.zero_points[0] if tensor.zero_points else 0 for tensor in (self.x, self.y)]
        self.positive, self.negative = self.factors()
        ends = (DTYPES[self.x.dtype].low, DTYPES[self.x.dtype].high)
        numbers = [number for x in ends for number in (x - self.zeros[0], self.answer_unclamped(x))]
        if not all(-(2**31) <= number < 2**31 for number in numbers):
            raise self.refuse("leaves 32 bits with these zero points, where TFLite Micro's answer is undefined")

    def factors(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(multiplier, shift) from the zero point on, and below."""
        ratio = self.scale_ratio(self.x.scales[0] / self.y.scales[0])
        return ratio, ratio

    def answer_unclamped(self, x_q: int) -> int:
        x = x_q - self.zeros[0]
        return self.zeros[1] + (requantize(x, *self.positive) if x >= 0 else requantize(self.sign * x, *self.negative))

    def answer(self, x_q: int) -> int:
        return min(max(self.answer_unclamped(x_q), self.low), self.high)

    def wide_kernel(self, x: str, y: str) -> str:
        return f"rescale_{x}_{y}"

    def wide_parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "input_zero_point": self.zeros[0],
            **factor("1", encode(*self.positive)),
            "sign2": self.sign,
            **factor("2", encode(*self.negative)),
            "zero_point": self.zeros[1],
            "clamp_min": self.low,
            "clamp_max": self.high,
        }
        return {name: str(value) for name, value in numbers.items()}


class Requantize(Rescaled):
    """From one quantization to another in the middle of a graph (reference/requantize.h)."""

    names = ("QUANTIZE",)
    max_version = 3
    pairs = (
        *(("int8", y) for y in ("int8", "uint8", "int16", "int32")),
        ("uint8", "int8"),
        *(("int16", y) for y in ("int8", "int16", "int32")),
        *(("int32", y) for y in ("int8", "int16")),
    )


class Relu(Rescaled):
    """max(x, 0), rescaled to the output (micro/kernels/activations_common.cc, CalculateReluOpData)."""

    names = ("RELU",)
    max_version = 3
    pairs = _ACTIVATION_PAIRS

    def prepare(self) -> None:
        super().prepare()
        if self.x.dtype == "int16" and any(self.zeros):
            raise self.refuse("has int16 with a zero point; TFLite Micro takes it as 0 alone")
        self.low = self.zeros[1]


class Relu6(Rescaled):
    """min(max(x, 0), 6). TFLM clamps the numbers and never rescales, so both tensors need one quantization."""

    names = ("RELU6",)
    max_version = 3
    pairs = _ACTIVATION_PAIRS

    def prepare(self) -> None:
        if (self.x.scales, self.x.zero_points) != (self.y.scales, self.y.zero_points):
            raise self.refuse(
                "input and output differ in scale or zero point, which TFLite Micro ignores; fuse RELU6 into the "
                "operator before it, or quantize both alike"
            )
        super().prepare()
        steps = float32(6.0 / self.x.scales[0])
        if not steps < 2**31:
            raise self.refuse(f"6 is more than 32 bits of the input's scale, {self.x.scales[0]:.3g}")
        self.low, self.high = self.zeros[0], min(round_half_away(steps) + self.zeros[0], self.high)

    def factors(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return _UNITY, _UNITY


class LeakyRelu(Rescaled):
    """x, or alpha x where x is negative (micro/kernels/leaky_relu_common.cc)."""

    names = ("LEAKY_RELU",)
    max_version = 2
    pairs = _ACTIVATION_PAIRS

    def factors(self) -> tuple[tuple[int, int], tuple[int, int]]:
        alpha = self.operator.real_options.get("alpha", 0.0)
        if not 0.0 <= alpha < math.inf:
            raise self.refuse(f"alpha {alpha:.6g} is not supported; supported are 0 and more")
        x_scale, y_scale = self.x.scales[0], self.y.scales[0]
        return self.scale_ratio(x_scale / y_scale), self.scale_ratio(x_scale * alpha / y_scale)


class Abs(Rescaled):
    """|x|, rescaled to the output where that has another scale; int16 may have none (micro/kernels/elementwise.cc)."""

    names = ("ABS",)
    max_version = 5
    pairs = _ACTIVATION_PAIRS
    sign = -1

    def end(self, indices: tuple[int, ...], role: str, types: tuple[str, ...]) -> Tensor:
        tensor = self.tensor(indices, 0, role)
        if tensor.dtype == "int16" and not tensor.scales and tensor.data is None:
            self.check_type(tensor, role, types)
            return tensor
        return super().end(indices, role, types)

    def prepare(self) -> None:
        if bool(self.x.scales) != bool(self.y.scales):
            raise self.refuse("input or output has no scale; TFLite Micro takes int16 with both or with neither")
        super().prepare()
        if self.x.dtype == "int16" and any(self.zeros):
            raise self.refuse("has int16 with a zero point; TFLite Micro takes it as 0 alone")
        if not self.x.scales:
            self.high = 2**15  # which is -2^15 in 16 bits, as there

    def factors(self) -> tuple[tuple[int, int], tuple[int, int]]:
        if self.x.scales == self.y.scales:
            return _UNITY, _UNITY
        return super().factors()
