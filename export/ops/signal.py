# SPDX-License-Identifier: Apache-2.0
"""What TFLite Micro's signal operators have in common: options in a FlexBuffer, integers without scales, and sometimes
a memory of their own."""

from __future__ import annotations

from tinyproof.core.escaping import escaped
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.flexbuffer import read_map
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.base import Op

INT32 = range(-(2**31), 2**31)


class SignalOp(Op):
    """An operator of signal/micro/kernels."""

    max_version = 1

    def check_counts(self, inputs: int, outputs: int = 1) -> None:
        """How many tensors it has."""
        counts = len(self.operator.inputs), len(self.operator.outputs)
        if counts != (inputs, outputs):
            raise self.refuse(f"has {counts[0]} inputs and {counts[1]} outputs; {inputs} and {outputs} are needed")

    def options(self, *names: str) -> tuple[int, ...]:
        """Its options, which TFLite Micro finds by the places of their names in alphabetical order."""
        try:
            found = read_map(self.operator.custom_options)
        except ValueError as error:
            raise self.refuse(f"its options cannot be read: {error}; convert the model again") from None
        if tuple(found) != names or not all(value in INT32 for value in found.values()):
            told = escaped(", ".join(found))[:200] or "none"  # the file's names, which may be anything
            raise self.refuse(f"its options must be {', '.join(names)}; they are {told}")
        return tuple(found.values())

    def signal(self, indices: tuple[int, ...], position: int, role: str, dtype: str, rank: int | None = None) -> Tensor:
        """A tensor that is computed."""
        found = self._typed(indices, position, role, dtype, rank)
        self.check_computed(found, role)
        return found

    def table(self, position: int, role: str, dtype: str = "int16") -> tuple[int, ...]:
        """The values of an input that is a constant list."""
        found = self._typed(self.operator.inputs, position, role, dtype, 1)
        if found.data is None:
            raise self.refuse(f"{role} {found.label} is computed; tinyproof takes a constant")
        return unpack(found.data, dtype)

    def check_range(self, name: str, value: int, low: int, high: int) -> None:
        """What TFLite Micro takes for granted of an option."""
        if not low <= value <= high:
            raise self.refuse(f"{name} {value} is out of range; {low} to {high} has a meaning in TFLite Micro")

    def check_size(self, tensor: Tensor, role: str, elements: int) -> None:
        """Raises InputFileError for a tensor of another size."""
        if tensor.elements != elements or elements == 0:
            raise self.refuse(f"{role} {tensor.label} has {tensor.elements} elements; it needs {max(elements, 1)}")

    def _typed(self, indices: tuple[int, ...], position: int, role: str, dtype: str, rank: int | None) -> Tensor:
        found = self.tensor(indices, position, role)
        if found.dtype != dtype:
            raise self.refuse(f"{role} {found.label} is {found.dtype}; {dtype} is supported")
        if rank is not None and len(found.shape) != rank:
            raise self.refuse(f"{role} {found.label} has {len(found.shape)} dimensions; {rank} is needed")
        return found
