# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION and SPLIT: rows of bytes moved, one call for each input or output."""

from __future__ import annotations

import math
import struct

from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Call, Constant, Op

MAX_PARTS = 10  # TFLM's limit for CONCATENATION


class _Parts(Op):
    """A whole tensor and the parts that it is made of along one axis, all with the same quantization."""

    kernel = "copy_s8"

    def check_parts(self, whole: Tensor, parts: list[Tensor], axis: int) -> None:
        rank = len(whole.shape)
        if not -rank <= axis < rank:
            raise self.refuse(f"axis {axis} does not exist in {list(whole.shape)}")
        axis %= rank
        for part in parts:
            self.check_int8(part, "part")
            if (part.scales, part.zero_points) != (whole.scales, whole.zero_points) or len(whole.scales) != 1:
                raise self.refuse(f"{part.label} and {whole.label} must have the same scale and zero point")
        shapes = [[*part.shape[:axis], *part.shape[axis + 1 :]] for part in (whole, *parts)]
        sizes = [part.shape[axis] if axis < len(part.shape) else 0 for part in parts]
        if any(shape != shapes[0] for shape in shapes) or sum(sizes) != whole.shape[axis] or not all(sizes):
            raise self.refuse(
                f"{[list(part.shape) for part in parts]} do not make up {list(whole.shape)} on axis {axis}"
            )
        if not 1 <= len(parts) <= MAX_PARTS:
            raise self.refuse(f"has {len(parts)} parts; supported are 1 to {MAX_PARTS}, as in TFLite Micro")
        inner = math.prod(whole.shape[axis + 1 :])
        self.rows = math.prod(whole.shape[:axis])
        self.row_bytes = [size * inner for size in sizes]
        self.whole_bytes = sum(self.row_bytes)

    def constants(self) -> list[Constant]:
        return []

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


class Concatenation(_Parts):
    """Parts may be constants."""

    names = ("CONCATENATION",)
    max_version = 4

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        y = self.activation(operator.outputs, 0, "output")
        self.parts = [self.tensor(operator.inputs, i, f"input {i}") for i in range(len(operator.inputs))]
        if operator.options.get("fused_activation_function", 0) != 0:
            raise self.refuse("a fused activation is not supported here; TFLite Micro refuses it too")
        self.check_parts(y, self.parts, operator.options.get("axis", 0))
        self.inputs = tuple(part.index for part in self.parts if part.data is None)
        self.outputs = (y.index,)
        if not self.inputs:
            raise self.refuse("all parts are constants; let the converter fold them")
        self.placed: set[int] = set()  # numbers of the parts that lie in the output already

    @property
    def places(self) -> list[int]:
        """Where each part begins in the output; empty where parts alternate."""
        return [sum(self.row_bytes[:number]) for number in range(len(self.parts))] if self.rows == 1 else []

    def constants(self) -> list[Constant]:
        return [
            Constant(f"part{number}", "int8_t", struct.unpack(f"<{part.elements}b", part.data), operand=True)
            for number, part in enumerate(self.parts)
            if part.data is not None
        ]

    def calls(self, prefix: str) -> list[Call]:
        return [
            Call(
                (part.index if part.data is None else f"{prefix}_part{number}",),
                self.outputs,
                self.part(prefix, number, "output"),
            )
            for number, part in enumerate(self.parts)
            if number not in self.placed
        ]


class Split(_Parts):
    """Equal parts along a constant axis."""

    names = ("SPLIT",)
    max_version = 4

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        axis = self.integers(0, "axis", "axes")
        x = self.activation(operator.inputs, 1, "input")
        parts = [self.activation(operator.outputs, i, "output") for i in range(len(operator.outputs))]
        if len(axis) != 1 or len({part.shape for part in parts}) != 1:
            raise self.refuse("takes one axis and makes parts of one shape")
        self.check_parts(x, parts, axis[0])
        self.inputs = (x.index,)
        self.outputs = tuple(part.index for part in parts)

    def calls(self, prefix: str) -> list[Call]:
        return [
            Call(self.inputs, (index,), self.part(prefix, number, "input")) for number, index in enumerate(self.outputs)
        ]
