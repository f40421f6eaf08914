# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC and TANH, by TFLite Micro's fixed-point arithmetic (reference/integer_ops/logistic.h and tanh.h)."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier, requantize
from tinyproof.core.tflite.fixed_point import input_radius, logistic, rounding_shift_right, tanh
from tinyproof.export.ops.lookup import Lookup

_INTEGER_BITS = 4  # of the function's argument: beyond +-16 both are flat
_MAX_INPUT_SCALE = 2.0**16


class _Sigmoid(Lookup):
    max_version = 3

    def prepare(self) -> None:
        scale = self.x.scales[0]
        real = scale * 2 ** (31 - _INTEGER_BITS)
        if not real >= 1.0 or not scale < _MAX_INPUT_SCALE:
            raise self.refuse(f"input {self.x.label} has scale {scale:.3g}; supported is 2^-27 to 2^16")
        self.rescale = quantize_multiplier(real)
        self.radius = input_radius(_INTEGER_BITS, self.rescale[1])

    def argument(self, x_q: int) -> int | None:
        """The function's argument in Q4.27, or None where it saturates."""
        x = x_q - self.x.zero_points[0]
        return requantize(x, *self.rescale) if abs(x) < self.radius else None

    def saturated(self, x_q: int) -> int:
        return INT8_MIN if x_q - self.x.zero_points[0] <= -self.radius else INT8_MAX


class Logistic(_Sigmoid):
    """1 / (1 + exp(-x)); output scale 1/256, zero point -128."""

    names = ("LOGISTIC",)

    def prepare(self) -> None:
        self.require(self.y, 1 / 256, -128)
        super().prepare()

    def answer(self, x_q: int) -> int:
        argument = self.argument(x_q)
        if argument is None:
            return self.saturated(x_q)
        return rounding_shift_right(logistic(argument, _INTEGER_BITS), 23) - 128


class Tanh(_Sigmoid):
    """tanh(x); output scale 1/128, zero point 0."""

    names = ("TANH",)

    def prepare(self) -> None:
        self.require(self.y, 1 / 128, 0)
        super().prepare()

    def answer(self, x_q: int) -> int:
        argument = self.argument(x_q)
        if argument is None:
            return self.saturated(x_q)
        return rounding_shift_right(tanh(argument, _INTEGER_BITS), 24)
