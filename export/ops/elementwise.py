# SPDX-License-Identifier: Apache-2.0
"""What operators on two operands share, either of them constant or broadcast: the walk of kernels/broadcast.h."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.schema import ACTIVATIONS
from tinyproof.export.ops.base import Call, Constant, Op, braces

MAX_LOOPS = 6
MAX_RANK = 6  # RuntimeShape of TFLite Micro has room for no more
SUFFIXES = {"int8": "s8", "int16": "s16", "int32": "s32", "int64": "s64", "bool": "u8"}  # of kernels, by type
_INT32_CLAMPS = {"RELU": (0, None), "RELU_N1_TO_1": (-1, 1), "RELU6": (0, 6)}


def loops(shapes: tuple[tuple[int, ...], ...], output: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """Nested loops over `output`, outermost first: (count, step of each operand in elements, 0 where it is broadcast).

    Dimensions that are walked alike become one. None when `output` is not what the shapes broadcast to.
    """
    found: list[tuple[int, ...]] = []
    strides = [1] * len(shapes)
    for count, *sizes in itertools.zip_longest(reversed(output), *(reversed(shape) for shape in shapes), fillvalue=1):
        if any(size not in (1, count) for size in sizes) or count not in (1, *sizes):
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


class Elementwise(Op):
    """y = x1 op x2. `order` says which operand is the kernel's first argument, and which its second."""

    types: ClassVar[tuple[str, ...]]  # both operands', and the output's unless `output_types` says otherwise
    quantized_types: ClassVar[tuple[str, ...]] = ("int8", "int16")  # those that need a scale
    output_types: ClassVar[tuple[str, ...]] = ()

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.operands = self.read_operands()
        self.dtype = self.operands[0].dtype
        self.y = self.computed(operator.outputs, 0, "output", self.output_types or (self.dtype,))
        if any(x.dtype == "bool" and x.data is not None and max(x.data, default=0) > 1 for x in self.operands):
            raise self.refuse("has a constant bool that is neither 0 nor 1; convert the model again")
        if self.dtype in self.quantized_types:
            for tensor in (*self.operands, *(() if self.output_types else (self.y,))):
                self.check_scale(tensor)
        self.order = (1, 2)
        self.loops = self._walk()
        self.inputs = self._arena_operands()
        self.outputs = (self.y.index,)
        self.prepare()

    def read_operands(self) -> tuple[Tensor, ...]:
        """All, the first with the type of the answer. Raises InputFileError for others."""
        first, second = (self.tensor(self.operator.inputs, i, f"operand {i + 1}") for i in (0, 1))
        self.check_type(first, "operand", self.types)
        self.check_type(second, "operand", (first.dtype,))
        return first, second

    def _walk(self) -> list[tuple[int, ...]]:
        shapes = tuple(operand.shape for operand in self.operands)
        broadcast = f"{' and '.join(str(list(shape)) for shape in shapes)} to {list(self.y.shape)}"
        if max(map(len, (*shapes, self.y.shape))) > MAX_RANK:
            raise self.refuse(f"broadcasting {broadcast}: TFLite Micro has room for {MAX_RANK} dimensions")
        found = loops(shapes, self.y.shape)
        if found is None or 0 in self.y.shape:
            raise self.refuse(f"cannot broadcast {broadcast}")
        return [(1, *(0 for _ in shapes))] * (MAX_LOOPS - len(found)) + found

    def _arena_operands(self) -> tuple[int, ...]:
        """One that is as large as the output comes first: the output may take its place."""
        found = [operand for operand in self.operands if operand.data is None]
        if not found:
            raise self.refuse("all operands are constants; let the converter fold them")
        return tuple(x.index for x in sorted(found, key=lambda x: x.elements != self.y.elements))

    @abstractmethod
    def prepare(self) -> None:
        """Choose the kernel, turn scales into integers. Raises InputFileError for what is not supported."""

    @abstractmethod
    def numbers(self) -> dict[str, int]:
        """The kernel's parameters but for the loops."""

    def tables(self) -> list[Constant]:
        """What the parameters point to."""
        return []

    def check_scale(self, tensor: Tensor) -> None:
        """Raises InputFileError where there is not one scale for all elements."""
        if len(tensor.scales) != 1:
            raise self.refuse(f"{tensor.label} has {len(tensor.scales)} scales; one is needed: quantize to int8")

    def clamp(self) -> tuple[int, int]:
        """Of the fused activation, quantized or of int32."""
        if self.dtype != "int32":
            return self.fused_clamp(self.y)
        number = self.operator.options.get("fused_activation_function", 0)
        low, high = _INT32_CLAMPS.get(ACTIVATIONS[number] if 0 <= number < len(ACTIVATIONS) else "", (None, None))
        bounds = DTYPES["int32"]
        return bounds.low if low is None else low, bounds.high if high is None else high

    @property
    def in_place(self) -> bool:
        return bool(self.replaceable)

    @property
    def replaceable(self) -> tuple[int, ...]:
        tensors = (self.graph.tensors[index] for index in self.inputs)
        return tuple(x.index for x in tensors if x.elements == self.y.elements and x.bytes == self.y.bytes)

    def constants(self) -> list[Constant]:
        operands = [self.operand_tables(x, f"operand{position}") for position, x in enumerate(self.operands, start=1)]
        return [*itertools.chain(*operands), *self.tables()]

    def calls(self, prefix: str) -> list[Call]:
        return [self.call(self.order, self.parameters(prefix), prefix)]

    def call(self, positions: tuple[int, int], parameters: dict[str, str], prefix: str) -> Call:
        """One of the kernel on operands 1, 2 ... with their loops."""
        arguments = tuple(
            self.operand_place(self.operands[position - 1], prefix, f"operand{position}") for position in positions
        )
        columns = {"counts": 0, "steps1": positions[0], "steps2": positions[1]}
        walk = {name: braces([loop[i] for loop in self.loops]) for name, i in columns.items()}
        return Call(arguments, self.outputs, walk | parameters)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {name: str(value) for name, value in self.numbers().items()}
