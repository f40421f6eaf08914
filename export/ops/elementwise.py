# SPDX-License-Identifier: Apache-2.0
"""What ADD, SUB and MUL share: two operands, either of them constant or broadcast, and one output."""

from __future__ import annotations

import struct
from abc import abstractmethod
from itertools import zip_longest

from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift

MAX_LOOPS = 4


def loops(shapes: tuple[tuple[int, ...], ...], output: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """Nested loops over `output`, outermost first: (count, step of each operand in bytes, 0 where it is broadcast).

    Dimensions that are walked alike become one. None when the shapes do not broadcast to `output`.
    """
    found: list[tuple[int, ...]] = []
    strides = [1] * len(shapes)
    for count, *sizes in zip_longest(reversed(output), *(reversed(shape) for shape in shapes), fillvalue=1):
        if any(size not in (1, count) for size in sizes):
            return None
        if count == 1:
            continue
        steps = [stride if size == count else 0 for size, stride in zip(sizes, strides, strict=True)]
        strides = [stride * size for stride, size in zip(strides, sizes, strict=True)]
        if found and all(step == inner * found[0][0] for step, inner in zip(steps, found[0][1:], strict=True)):
            found[0] = (found[0][0] * count, *found[0][1:])
        else:
            found.insert(0, (count, *steps))
    return found


def encode(multiplier: int, shift: int) -> tuple[int, int]:
    """As requantize.h wants it. A multiplier of 0, a factor below 2^-32, becomes 2^-32: 0 for all that occurs."""
    return (encode_multiplier(multiplier), encode_shift(shift)) if multiplier else (encode_multiplier(2**30), 30)


class Elementwise(Op):
    """y = clamp(x1 op x2) with the fused activation's range."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.operands = (self._operand(0), self._operand(1))
        self.y = self.activation(operator.outputs, 0, "output")
        shapes = self.operands[0].shape, self.operands[1].shape
        found = loops(shapes, self.y.shape)
        broadcast = f"{list(shapes[0])} and {list(shapes[1])} to {list(self.y.shape)}"
        if found is None or 0 in self.y.shape:
            raise self.refuse(f"cannot broadcast {broadcast}")
        if len(found) > MAX_LOOPS:
            raise self.refuse(f"broadcasting {broadcast} takes {len(found)} loops; supported are {MAX_LOOPS}")
        self.loops = [(1, 0, 0)] * (MAX_LOOPS - len(found)) + found
        computed = [operand for operand in self.operands if operand.data is None]
        if not computed:
            raise self.refuse("both operands are constants; let the converter fold them")
        # One that is as large as the output comes first, since the output may take its place.
        self.inputs = tuple(x.index for x in sorted(computed, key=lambda x: x.elements != self.y.elements))
        self.outputs = (self.y.index,)
        self.clamp = self.fused_clamp(self.y)
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Turn scales into integers. Raises InputFileError for what is not supported."""

    def _operand(self, position: int) -> Tensor:
        tensor = self.tensor(self.operator.inputs, position, f"operand {position + 1}")
        self.check_int8(tensor, "operand")
        if len(tensor.scales) != 1:
            raise self.refuse(
                f"operand {tensor.label} has {len(tensor.scales)} scales; one is needed: quantize to int8"
            )
        return tensor

    @property
    def in_place(self) -> bool:
        return self.graph.tensors[self.inputs[0]].elements == self.y.elements

    def constants(self) -> list[Constant]:
        return [
            Constant(f"operand{position}", "int8_t", struct.unpack(f"<{x.elements}b", x.data), operand=True)
            for position, x in enumerate(self.operands, start=1)
            if x.data is not None
        ]

    def argument(self, position: int, prefix: str) -> int | str:
        """The C argument of operand 1 or 2."""
        operand = self.operands[position - 1]
        return operand.index if operand.data is None else f"{prefix}_operand{position}"

    def walk(self, first: int, second: int) -> dict[str, str]:
        """The kernel's loops, with operand `first` as its first argument."""
        columns = {"counts": 0, "steps1": first, "steps2": second}
        return {name: "{" + ", ".join(str(loop[i]) for loop in self.loops) + "}" for name, i in columns.items()}
