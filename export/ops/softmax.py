# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX and LOG_SOFTMAX along the last dimension."""

from __future__ import annotations

import math
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import BYTE_DISTANCES, INT32_MAX, float32, quantize_multiplier
from tinyproof.core.tflite.fixed_point import doubling_high_multiply, exp_on_negative_values, input_radius
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.core.tflite.softmax_tables import exponential_table, reciprocal_table
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.elementwise import MAX_RANK
from tinyproof.export.ops.requantize_encoding import encode

_INTEGER_BITS = 5  # of the exponent's argument
MAX_DEPTH = {"int8": 4095, "int16": 65535}  # sums of so many exponentials fit their 12 or 16 integer bits
_NEGLIGIBLE = 1 << 11  # below it an exponential adds nothing to the sum, and its own answer rounds to 0
_WIDEST_SHIFT = 15  # of a difference between two int16 in 32 bits


class _AlongRows(Op):
    """Rows of one dimension, the last. The output has the input's shape."""

    max_version = 3
    code_bytes = 450
    types: ClassVar[tuple[str, ...]]
    output_types: ClassVar[dict[str, tuple[str, ...]]]  # by the input's

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input", self.types)
        self.y = self.activation(operator.outputs, 0, "output", self.output_types[self.x.dtype])
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        if self.x.shape != self.y.shape or not 0 < len(self.x.shape) <= MAX_RANK or 0 in self.x.shape:
            raise self.refuse(
                f"output {list(self.y.shape)} and input {list(self.x.shape)} must have the same shape, of 1 to "
                f"{MAX_RANK} dimensions"
            )
        self.depth = self.x.shape[-1]
        most = MAX_DEPTH[self.x.dtype]
        if self.depth > most:
            raise self.refuse(f"is over {self.depth:,} elements; TFLite Micro's sums hold {most:,}")

    @property
    def in_place(self) -> bool:
        return self.x.dtype == self.y.dtype

    def read_scaling(self, beta: float) -> None:
        """`argument` and `exponentials` by the distance to the maximum, as far as TFLite Micro takes any into account
        (quantization_util.cc, PreprocessSoftmaxScaling). An exponential that adds nothing is left out."""
        real = beta * self.x.scales[0] * 2 ** (31 - _INTEGER_BITS)
        if not 1.0 < real < math.inf:
            raise self.refuse(f"beta {beta:.6g} and the input's scale {self.x.scales[0]:.3g} are not supported")
        self.multiplier, self.left_shift = quantize_multiplier(min(real, float(INT32_MAX)))
        self.arguments = [
            doubling_high_multiply(-distance << self.left_shift, self.multiplier)
            for distance in range(min(input_radius(_INTEGER_BITS, self.left_shift), BYTE_DISTANCES - 1) + 1)
        ]
        self.exponentials = [exp_on_negative_values(argument, _INTEGER_BITS) for argument in self.arguments]
        while self.exponentials[-1] < _NEGLIGIBLE:
            self.exponentials.pop()

    def refuse_output(self, scale: str, zero_point: int) -> Exception:
        return self.refuse(
            f"output {self.y.label} must have scale {scale} and zero point {zero_point}: convert the model again"
        )

    def constants(self) -> list[Constant]:
        # What is read beyond them shows: a 1, not what happens to follow.
        end = [INT32_MAX] if len(self.exponentials) < BYTE_DISTANCES else []
        return [Constant("exponentials", "int32_t", [*self.exponentials, *end])]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {"rows": self.x.elements // self.depth, "depth": self.depth} | self.numbers()
        tables = {table.suffix: f"{prefix}_{table.suffix}" for table in self.constants()}
        return {name: str(value) for name, value in numbers.items()} | tables

    def numbers(self) -> dict[str, int]:
        """What the kernel needs besides."""
        return {"exponentials_count": len(self.exponentials)}


class Softmax(_AlongRows):
    """exp(beta (x - max)) / sum, with TFLite Micro's arithmetic (reference/softmax.h). Of bytes, an exponential depends
    on the distance to the maximum alone: a table. Of int16, exponentials and the reciprocal of their sum lie on lines
    between the values of two tables, the same ones for all."""

    names = ("SOFTMAX",)
    types = ("int8", "int16")
    output_types: ClassVar[dict[str, tuple[str, ...]]] = {"int8": ("int8", "int16"), "int16": ("int16",)}

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        beta = operator.real_options.get("beta", 0.0)
        if self.x.dtype == "int16":
            self.kernel = "softmax_s16"
            self._read_wide_scaling(beta)
            return
        wide = self.y.dtype == "int16"
        self.kernel = "softmax_s8_s16" if wide else "softmax_s8"
        if wide and not (self._is_nearly(1 / 65536) and self.y.zero_points[0] == -32768):
            raise self.refuse_output("1/65536", -32768)
        if not wide and (self.y.scales[0] != 1 / 256 or self.y.zero_points[0] != -128):
            raise self.refuse_output("1/256", -128)
        self.read_scaling(beta)

    def _read_wide_scaling(self, beta: float) -> None:
        if not (self._is_nearly(1 / 32768) and self.y.zero_points[0] == 0):
            raise self.refuse_output("1/32768", 0)
        if self.x.zero_points[0] != 0:
            raise self.refuse(f"input {self.x.label} must have zero point 0: convert the model again")
        real = self.x.scales[0] * beta / (10.0 / 65535.0)
        multiplier, shift = quantize_multiplier(real) if 0 < real < math.inf else (0, _WIDEST_SHIFT + 1)
        if shift > _WIDEST_SHIFT:
            raise self.refuse(f"beta {beta:.6g} and the input's scale {self.x.scales[0]:.3g} are not supported")
        self.rescaling = encode(multiplier, shift)

    def _is_nearly(self, scale: float) -> bool:
        return abs(self.y.scales[0] - scale) <= float32(float32(0.001) * scale)

    def constants(self) -> list[Constant]:
        if self.x.dtype == "int8":
            return super().constants()
        return [
            Constant("exponentials", "int16_t", exponential_table()),
            Constant("reciprocals", "int16_t", reciprocal_table()),
        ]

    def numbers(self) -> dict[str, int]:
        if self.x.dtype == "int8":
            return super().numbers()
        return {"multiplier": self.rescaling[0], "shift": self.rescaling[1]}


class LogSoftmax(_AlongRows):
    """x - max - ln(sum exp(x - max)): reference/log_softmax.h. The first two, too, are a table by the distance."""

    names = ("LOG_SOFTMAX",)
    max_version = 2
    code_bytes = 700
    types = ("int8",)
    output_types: ClassVar[dict[str, tuple[str, ...]]] = {"int8": ("int8",)}
    kernel = "log_softmax_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if self.y.scales[0] != 1 / 16 or self.y.zero_points[0] != 127:
            raise self.refuse_output("1/16", 127)
        self.read_scaling(1.0)
        backwards = (1 << (31 - self.left_shift)) / self.multiplier
        if not backwards < 1.0:
            raise self.refuse(f"the input's scale {self.x.scales[0]:.3g} is not supported")
        self.backwards = encode(*quantize_multiplier(backwards))

    def constants(self) -> list[Constant]:
        return [*super().constants(), Constant("distances", "int32_t", self.arguments)]

    def numbers(self) -> dict[str, int]:
        numbers = {"distances_count": len(self.arguments)}
        return super().numbers() | numbers | {"multiplier": self.backwards[0], "shift": self.backwards[1]}
