# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION, PACK, SPLIT, SPLIT_V and UNPACK: rows of bytes moved, one call for each input or output."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Call
from tinyproof.export.ops.moving import Moving, element_bytes

MAX_JOINED = 10  # TFLM's limit for CONCATENATION
MAX_RANK = 6  # as in TFLM


class _Parts(Moving):
    """A whole tensor and the parts that it is made of along one axis."""

    kernel = "copy_s8"

    def check_parts(self, whole: Tensor, parts: list[Tensor], axis: int) -> None:
        axis = self.axis(axis, len(whole.shape))
        shapes = [[*part.shape[:axis], *part.shape[axis + 1 :]] for part in (whole, *parts)]
        sizes = [part.shape[axis] if axis < len(part.shape) else 0 for part in parts]
        if any(shape != shapes[0] for shape in shapes) or sum(sizes) != whole.shape[axis] or not all(sizes):
            raise self.refuse(
                f"{[list(part.shape) for part in parts]} do not make up {list(whole.shape)} on axis {axis}"
            )
        self._lay_out(whole, axis, sizes)

    def check_layers(self, whole: Tensor, parts: list[Tensor], axis: int, number: int) -> None:
        """Parts that lack the axis along which they lie in the whole. `number` is how many the options name."""
        axis = self.axis(axis, len(whole.shape))
        if not parts or number != len(parts) or whole.shape[axis] != number:
            raise self.refuse(f"has {len(parts)} parts; {number} are named, and {list(whole.shape)} has its own number")
        for part in parts:
            self.check_shape(part, (*whole.shape[:axis], *whole.shape[axis + 1 :]), "part")
        self._lay_out(whole, axis, [1] * number)

    def _lay_out(self, whole: Tensor, axis: int, sizes: list[int]) -> None:
        inner = math.prod(whole.shape[axis + 1 :]) * element_bytes(whole)
        self.rows = math.prod(whole.shape[:axis])
        self.row_bytes = [size * inner for size in sizes]
        self.whole_bytes = sum(self.row_bytes)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"rows": str(self.rows)}

    def part(self, prefix: str, number: int, side: str) -> dict[str, str]:
        """Parameters of the call for part `number`; the whole tensor is the call's `side`, input or output."""
        other = {"input": "output", "output": "input"}[side]
        numbers = {
            "row_bytes": self.row_bytes[number],
            f"{side}_offset": sum(self.row_bytes[:number]),
            f"{side}_step": self.whole_bytes,
            f"{other}_offset": 0,
            f"{other}_step": self.row_bytes[number],
        }
        return self.parameters(prefix) | {name: str(value) for name, value in numbers.items()}


class _Joined(_Parts):
    """Parts may be constants."""

    max_version = 4

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(len(operator.inputs))
        y = self.carried(operator.outputs, 0, "output", self.types)
        parts = [self.carried(operator.inputs, i, f"input {i}", (y.dtype,)) for i in range(len(operator.inputs))]
        self.join(y, parts)
        self.take(*parts)
        self.outputs = (y.index,)
        self.parts = parts
        self.placed: set[int] = set()  # numbers of the parts that lie in the output already

    @property
    def part_places(self) -> list[int]:
        """Where each part begins in the output; empty where parts alternate."""
        return [sum(self.row_bytes[:number]) for number in range(len(self.parts))] if self.rows == 1 else []

    @abstractmethod
    def join(self, y: Tensor, parts: list[Tensor]) -> None:
        """Lays the parts out. Raises InputFileError for what is not supported."""

    def calls(self, prefix: str) -> list[Call]:
        return [
            Call((place,), self.outputs, self.part(prefix, number, "output"))
            for number, place in enumerate(self.places(prefix))
            if number not in self.placed
        ]


class Concatenation(_Joined):
    """TFLM compares scale and zero point of int8 alone, and wants int16 without a zero point."""

    names = ("CONCATENATION",)
    types = ("int8", "int16", "int32", "int64", "bool")

    def join(self, y: Tensor, parts: list[Tensor]) -> None:
        if self.operator.options.get("fused_activation_function", 0) != 0:
            raise self.refuse("a fused activation is not supported here; TFLite Micro refuses it too")
        if not 1 <= len(parts) <= MAX_JOINED:
            raise self.refuse(f"has {len(parts)} parts; supported are 1 to {MAX_JOINED}, as in TFLite Micro")
        self.check_rank(y, 1, MAX_RANK)
        for part in parts if y.dtype == "int8" else []:
            if (part.scales[:1], part.zero_points[:1]) != (y.scales[:1], y.zero_points[:1]):
                raise self.refuse(f"{part.label} and {y.label} must have the same scale and zero point")
        for tensor in (y, *parts) if y.dtype == "int16" else []:
            if any(tensor.zero_points):
                raise self.refuse(f"{tensor.label} has a zero point; int16 must have none")
        self.check_parts(y, parts, self.operator.options.get("axis", 0))


class Pack(_Joined):
    names = ("PACK",)
    types = ("int8", "int16", "int32", "int64")

    def join(self, y: Tensor, parts: list[Tensor]) -> None:
        options = self.operator.options
        self.check_layers(y, parts, options.get("axis", 0), options.get("values_count", 0))


class _Parted(_Parts):
    """The parts of one tensor, which may be a constant no more than its parts are folded."""

    max_version = 4
    types = ("int8", "int16", "int32")
    position: ClassVar[int] = 0

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        x = self.carried(operator.inputs, self.position, "input", self.types)
        count = len(operator.outputs)
        parts = [self.carried(operator.outputs, i, f"output {i}", (x.dtype,)) for i in range(count)]
        self.part_it(x, parts)
        self.take(x)
        self.outputs = tuple(part.index for part in parts)

    @abstractmethod
    def part_it(self, x: Tensor, parts: list[Tensor]) -> None:
        """Lays the parts out. Raises InputFileError for what is not supported."""

    def one_axis(self, position: int) -> int:
        axis = self.fixed(position, "axis")
        if len(axis) != 1:
            raise self.refuse("takes one axis")
        return axis[0]

    def calls(self, prefix: str) -> list[Call]:
        return [
            Call(self.places(prefix), (index,), self.part(prefix, number, "input"))
            for number, index in enumerate(self.outputs)
        ]


class Split(_Parted):
    """Equal parts along a constant axis."""

    names = ("SPLIT",)
    position = 1

    def part_it(self, x: Tensor, parts: list[Tensor]) -> None:
        self.check_counts(2, len(parts))
        if len({part.shape for part in parts}) != 1:
            raise self.refuse("makes parts of one shape")
        self.check_parts(x, parts, self.one_axis(0))


class SplitV(_Parted):
    """Parts of any sizes: their tensors', as in TFLM, which does not read the list of sizes."""

    names = ("SPLIT_V",)
    max_version = 2

    def part_it(self, x: Tensor, parts: list[Tensor]) -> None:
        self.check_counts(3, len(parts))
        self.check_parts(x, parts, self.one_axis(2))


class Unpack(_Parted):
    names = ("UNPACK",)

    def part_it(self, x: Tensor, parts: list[Tensor]) -> None:
        self.check_counts(1, len(parts))
        options = self.operator.options
        self.check_layers(x, parts, options.get("axis", 0), options.get("num", 0))
