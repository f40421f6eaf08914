# SPDX-License-Identifier: Apache-2.0
"""Operators whose output byte is a function of one input byte: a table of 256 answers, computed here."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant, Op

MAX_LEFT_SHIFT = 22  # 255 << 22 is the last that leaves room for rounding and zero point in 32 bits


class Lookup(Op):
    """y_q = table[x_q] for every element."""

    kernel = "lookup_s8"
    moves_bytes = True  # a table's index is a byte, whatever sign it has
    input_types: ClassVar[tuple[str, ...]] = ("int8",)
    output_types: ClassVar[tuple[str, ...]] = ("int8",)

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input", self.input_types)
        self.y = self.activation(operator.outputs, 0, "output", self.output_types)
        if self.x.elements != self.y.elements:
            raise self.refuse(f"output {list(self.y.shape)} and input {list(self.x.shape)} differ in size")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self.prepare()
        answers = (self.answer(byte - 256 if self.x.dtype == "int8" and byte > 127 else byte) for byte in range(256))
        y = DTYPES[self.y.dtype]
        bounded = (min(max(answer, y.low), y.high) for answer in answers)
        self.table = [answer - 256 if answer > 127 else answer for answer in bounded]

    @abstractmethod
    def prepare(self) -> None:
        """Read options and turn scales into integers. Raises InputFileError for what is not supported."""

    @abstractmethod
    def answer(self, x_q: int) -> int:
        """The output for `x_q`, before it is clamped to its type."""

    def scale_ratio(self, real: float) -> tuple[int, int]:
        """(multiplier, shift) of a factor between two scales."""
        multiplier, shift = quantize_multiplier(real) if math.isfinite(real) else (0, MAX_LEFT_SHIFT + 1)
        if shift > MAX_LEFT_SHIFT:
            raise self.refuse(f"rescales by {real:.3g}; supported is less than 2^{MAX_LEFT_SHIFT}: check the scales")
        return multiplier, shift

    def require(self, tensor: Tensor, scale: float, zero_point: int) -> None:
        """The operator's fixed output quantization, which TFLM takes for granted."""
        if tensor.scales[0] != scale or tensor.zero_points[0] != zero_point:
            raise self.refuse(
                f"output {tensor.label} has scale {tensor.scales[0]:.6g} and zero point {tensor.zero_points[0]}; the "
                f"operator's are {scale:.6g} and {zero_point}: convert the model again"
            )

    @property
    def in_place(self) -> bool:
        return True

    def constants(self) -> list[Constant]:
        return [Constant("table", "int8_t", self.table)]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"count": str(self.x.elements), "table": f"{prefix}_table"}
