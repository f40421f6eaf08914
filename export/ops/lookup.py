# SPDX-License-Identifier: Apache-2.0
"""Operators whose output element is a function of one input element. Of a byte: a table of 256 answers."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant, Op

# What is left of 32 bits for a shift to the left beside rounding and zero point, by the bits of the input.
_MAX_LEFT_SHIFTS = {8: 22, 16: 14, 32: 0}
_SUFFIXES = {"int8": "s8", "uint8": "s8", "bool": "s8", "int16": "s16", "int32": "s32"}  # of kernels, by type


class Lookup(Op):
    """y_q = table[x_q] for every element of a byte; what is wider is computed by a kernel of its own."""

    # Types of input and output that TFLite Micro computes.
    pairs: ClassVar[tuple[tuple[str, str], ...]] = (("int8", "int8"),)

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.end(operator.inputs, "input", tuple(dict.fromkeys(x for x, _ in self.pairs)))
        self.y = self.end(operator.outputs, "output", tuple(y for x, y in self.pairs if x == self.x.dtype))
        if self.x.elements != self.y.elements:
            raise self.refuse(f"output {list(self.y.shape)} and input {list(self.x.shape)} differ in size")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self.is_looked_up = DTYPES[self.x.dtype].bits == 8
        self.prepare()
        suffix = _SUFFIXES[self.y.dtype]
        if self.is_looked_up:
            self.kernel = f"lookup_{suffix}"
            self.moves_bytes = suffix == "s8"  # a table's index is a byte, whatever sign it has
            self.table = self._answers()
        else:
            self.kernel = self.wide_kernel(_SUFFIXES[self.x.dtype], suffix)

    def end(self, indices: tuple[int, ...], role: str, types: tuple[str, ...]) -> Tensor:
        """The input or the output: computed, and with one scale."""
        return self.activation(indices, 0, role, types)

    def _answers(self) -> list[int]:
        x, y = DTYPES[self.x.dtype], DTYPES[self.y.dtype]
        answers = (self.answer(byte - 256 if x.low < 0 and byte > 127 else byte) for byte in range(256))
        bounded = [min(max(answer, y.low), y.high) for answer in answers]
        return bounded if y.low < 0 else [answer - 256 if answer > 127 else answer for answer in bounded]

    @abstractmethod
    def prepare(self) -> None:
        """Read options and turn scales into integers. Raises InputFileError for what is not supported."""

    @abstractmethod
    def answer(self, x_q: int) -> int:
        """The output for the byte `x_q`, before it is clamped to its type."""

    def wide_kernel(self, x: str, y: str) -> str:
        """The name of the kernel for elements that are wider than a byte, from the suffixes of both types: the
        operator's own, by the input's, unless a class says otherwise."""
        return f"{self.operator.name.lower()}_{x}"

    def wide_parameters(self, prefix: str) -> dict[str, str]:
        """That kernel's parameters but for `count`."""
        return {}

    def wide_tables(self) -> list[Constant]:
        """What those point to."""
        return []

    def scale_ratio(self, real: float) -> tuple[int, int]:
        """(multiplier, shift) of a factor between two scales."""
        bits = DTYPES[self.x.dtype].bits
        most = _MAX_LEFT_SHIFTS[bits]
        multiplier, shift = quantize_multiplier(real) if math.isfinite(real) else (0, most + 1)
        if shift > most or (bits == 32 and not multiplier):
            raise self.refuse(
                f"rescales {self.x.dtype} by {real:.3g}; supported is less than 2^{most}: check the scales"
            )
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
        return self.x.bytes == self.y.bytes

    def constants(self) -> list[Constant]:
        if self.is_looked_up:
            return [Constant("table", "int8_t" if self.moves_bytes else DTYPES[self.y.dtype].c_type, self.table)]
        return self.wide_tables()

    def parameters(self, prefix: str) -> dict[str, str]:
        special = {"table": f"{prefix}_table"} if self.is_looked_up else self.wide_parameters(prefix)
        return {"count": str(self.x.elements), **special}
