# SPDX-License-Identifier: Apache-2.0
"""EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, and LOGICAL_AND, LOGICAL_OR: two operands to a bool."""

from __future__ import annotations

from typing import ClassVar

from tinyproof.core.tflite.arithmetic import quantize_multiplier, requantize
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise

_MORE_BITS = 8  # of a byte before it is rescaled to be compared
# Answers to (0, 0), (0, 1), (1, 0), (1, 1) from the lowest bit.
_ANSWERS = {"EQUAL": 0b1001, "LOGICAL_AND": 0b1000, "LOGICAL_OR": 0b1110, "NOT_EQUAL": 0b0110}


class Logical(Elementwise):
    """micro/kernels/logical_common.cc."""

    names = ("LOGICAL_AND", "LOGICAL_OR")
    max_version = 1
    types = ("bool",)
    kernel = "logical_u8"

    def prepare(self) -> None:
        pass

    def numbers(self) -> dict[str, int]:
        return {"answers": _ANSWERS[self.operator.name]}


class Ordering(Elementwise):
    """reference/comparisons.h. All are "less" or its opposite, some with the operands exchanged."""

    names: ClassVar[tuple[str, ...]] = ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
    max_version = 3
    types: ClassVar[tuple[str, ...]] = ("int8", "int32", "int64")
    quantized_types = ("int8",)
    output_types = ("bool",)

    def prepare(self) -> None:
        name = self.operator.name
        self.order = (2, 1) if name in ("GREATER", "LESS_EQUAL") else (1, 2)
        self.kernel = f"compare_{SUFFIXES[self.dtype]}"
        self.ranks = [_ranks(self.operands, x) for x in self.operands] if self.dtype == "int8" else []

    def check_scale(self, tensor: Tensor) -> None:
        super().check_scale(tensor)
        if not 0 < tensor.scales[0] < 1 or quantize_multiplier(tensor.scales[0])[1] > 0:
            raise self.refuse(f"{tensor.label} has scale {tensor.scales[0]:.6g}; TFLite Micro compares below 1 alone")

    def numbers(self) -> dict[str, int]:
        name = self.operator.name
        opposite = name in ("NOT_EQUAL", "GREATER_EQUAL", "LESS_EQUAL")
        return {"equality": int(name in _ANSWERS), "opposite": int(opposite)}

    def tables(self) -> list[Constant]:
        distinct = self.ranks[:1] if self.ranks[:1] == self.ranks[1:] else self.ranks
        return [Constant(f"ranks{number}", "int16_t", ranks) for number, ranks in enumerate(distinct, start=1)]

    def parameters(self, prefix: str) -> dict[str, str]:
        parameters = super().parameters(prefix)
        if self.ranks:
            one = len(self.tables()) == 1
            names = [f"{prefix}_ranks{1 if one else position}" for position in self.order]
            parameters |= {"ranks1": names[0], "ranks2": names[1]}
        return parameters


class Equality(Ordering):
    """reference/comparisons.h; of bools, a table of four answers."""

    names = ("EQUAL", "NOT_EQUAL")
    max_version = 4
    types = ("int8", "int32", "int64", "bool")

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if self.dtype == "bool":
            self.kernel = "logical_u8"

    def numbers(self) -> dict[str, int]:
        return {"answers": _ANSWERS[self.operator.name]} if self.dtype == "bool" else super().numbers()


def _ranks(operands: tuple[Tensor, ...], which: Tensor) -> list[int]:
    """The place of each byte of an operand in the order of all that both may be rescaled to, by unsigned byte."""
    order = {value: place for place, value in enumerate(sorted({v for x in operands for v in _rescaled(x)}))}
    return [order[value] for value in _rescaled(which)]


def _rescaled(x: Tensor) -> list[int]:
    multiplier, shift = quantize_multiplier(x.scales[0])
    signed = [byte - 256 if byte > 127 else byte for byte in range(256)]
    return [requantize((q - x.zero_points[0]) << _MORE_BITS, multiplier, shift) for q in signed]
