# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC and TANH, by TFLite Micro's fixed-point arithmetic (reference/integer_ops/logistic.h and tanh.h)."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier, requantize
from tinyproof.core.tflite.fixed_point import input_radius, logistic, rounding_shift_right, tanh
from tinyproof.core.tflite.sigmoid_table import SIGMOID_TABLE, sigmoid_scaling
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.lookup import Lookup

_INTEGER_BITS = 4  # of the function's argument: beyond +-16 both are flat
_MAX_INPUT_SCALE = 2.0**16


class _Sigmoid(Lookup):
    max_version = 3
    pairs = (("int8", "int8"), ("int16", "int16"))
    byte_output: tuple[float, int]  # scale and zero point of an output of int8; of int16 they are 2^-15 and 0
    exact_shifts: tuple[int, ...]  # by which int16 of a power of two as scale needs no multiplier

    def prepare(self) -> None:
        self.require(self.y, *(self.byte_output if self.is_looked_up else (2.0**-15, 0)))
        scale = self.x.scales[0]
        if not self.is_looked_up:
            if self.x.zero_points[0]:
                raise self.refuse("has int16 with a zero point; TFLite Micro takes it as 0 alone")
            scaling = sigmoid_scaling(scale, self.exact_shifts)
            if scaling is None:
                raise self.refuse(f"input {self.x.label} has scale {scale:.3g}; supported is 2^-44 to 2.66 for int16")
            self.scaling = scaling
            return
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

    def wide_parameters(self, prefix: str) -> dict[str, str]:
        multiplier, shift = self.scaling
        return {"multiplier": str(multiplier), "shift": str(shift), "table": f"{prefix}_table"}

    def wide_tables(self) -> list[Constant]:
        return [Constant("table", "uint16_t", SIGMOID_TABLE)]


class Logistic(_Sigmoid):
    """1 / (1 + exp(-x)); output scale 1/256, zero point -128."""

    names = ("LOGISTIC",)
    byte_output = (1 / 256, -128)
    exact_shifts = (0,)

    def answer(self, x_q: int) -> int:
        argument = self.argument(x_q)
        if argument is None:
            return self.saturated(x_q)
        return rounding_shift_right(logistic(argument, _INTEGER_BITS), 23) - 128


class Tanh(_Sigmoid):
    """tanh(x); output scale 1/128, zero point 0."""

    names = ("TANH",)
    byte_output = (1 / 128, 0)
    exact_shifts = (0, 1)

    def answer(self, x_q: int) -> int:
        argument = self.argument(x_q)
        if argument is None:
            return self.saturated(x_q)
        return rounding_shift_right(tanh(argument, _INTEGER_BITS), 24)
