# SPDX-License-Identifier: Apache-2.0
"""What all operators share that move elements and change none: sizes are counted in bytes, whatever the type is."""

from __future__ import annotations

import math
from typing import ClassVar

from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Call, Constant, Op

WHOLE_BYTES = ("int8", "uint8", "int16", "int32", "uint32", "int64", "bool")
INDEX_TYPES = ("int32", "int64")


class Moving(Op):
    """Scales are nobody's business here: the bytes are the same, as in TFLite Micro."""

    moves_bytes = True
    types: ClassVar[tuple[str, ...]]  # that TFLite Micro moves

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.operands: list[tuple[Tensor, str]] = []

    def check_counts(self, inputs: int, outputs: int = 1, optional: int = 0) -> None:
        """Raises InputFileError unless there are so many tensors; `optional` more inputs may be given."""
        operator = self.operator
        if not inputs <= len(operator.inputs) <= inputs + optional or len(operator.outputs) != outputs:
            raise self.refuse(
                f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs, where {inputs} and {outputs} "
                "are needed"
            )

    def carried(self, indices: tuple[int, ...], position: int, role: str, types: tuple[str, ...]) -> Tensor:
        """A tensor of one of `types`, constant or not, that is not empty."""
        tensor = self.tensor(indices, position, role)
        self.check_type(tensor, role, types)
        if 0 in tensor.shape:
            raise self.refuse(f"{role} {list(tensor.shape)} is empty")
        return tensor

    def pair(self, position: int = 0) -> tuple[Tensor, Tensor]:
        """The input that is moved, and the output, which has its type."""
        x = self.carried(self.operator.inputs, position, "input", self.types)
        return x, self.carried(self.operator.outputs, 0, "output", (x.dtype,))

    def check_shape(self, tensor: Tensor, shape: tuple[int, ...] | list[int], what: str = "output") -> None:
        """Raises InputFileError unless the tensor has the shape that follows from the others."""
        if tensor.shape != tuple(shape):
            raise self.refuse(f"{what} {list(tensor.shape)} does not follow from the inputs: {list(shape)}")

    def check_rank(self, tensor: Tensor, least: int, most: int) -> None:
        if not least <= len(tensor.shape) <= most:
            ranks = f"{least} to {most}" if least < most else f"{most}"
            raise self.refuse(f"input {list(tensor.shape)} is not supported; supported are {ranks} dimensions")

    def axis(self, axis: int, rank: int) -> int:
        """Counted from the front. Raises InputFileError where there is none such."""
        if not -rank <= axis < rank:
            raise self.refuse(f"axis {axis} does not exist in {rank} dimensions")
        return axis % rank

    def fixed(self, position: int, role: str, types: tuple[str, ...] = ("int32",)) -> tuple[int, ...]:
        """The values of an integer input that TFLite Micro wants to be constant, too."""
        tensor = self.tensor(self.operator.inputs, position, role)
        self.check_type(tensor, role, types)
        if tensor.data is None:
            raise self.refuse(f"{role} {tensor.label} must be a constant: tinyproof takes fixed ones")
        return unpack(tensor.data, tensor.dtype)

    def take(self, *tensors: Tensor) -> None:
        """Makes `tensors` the kernel's inputs, in this order; those that are constants become tables."""
        self.operands = [(tensor, f"operand{number}") for number, tensor in enumerate(tensors)]
        self.inputs = tuple(tensor.index for tensor in tensors if tensor.data is None)

    def places(self, prefix: str) -> tuple[int | str, ...]:
        """The C arguments that the inputs become."""
        return tuple(self.operand_place(tensor, prefix, suffix) for tensor, suffix in self.operands)

    def calls(self, prefix: str) -> list[Call]:
        return [Call(self.places(prefix), self.outputs, self.parameters(prefix))]

    def constants(self) -> list[Constant]:
        return [table for tensor, suffix in self.operands for table in self.operand_tables(tensor, suffix)]


def element_bytes(tensor: Tensor) -> int:
    """Of one element, which has whole bytes."""
    return DTYPES[tensor.dtype].bits // 8


def byte_strides(tensor: Tensor) -> list[int]:
    """Bytes between neighbours along each dimension."""
    return [math.prod(tensor.shape[axis + 1 :]) * element_bytes(tensor) for axis in range(len(tensor.shape))]
