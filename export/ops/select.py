# SPDX-License-Identifier: Apache-2.0
"""SELECT_V2: one of two values by a condition. Two calls of the kernel, each writes what it is asked for."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.base import Call
from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise


class Select(Elementwise):
    """micro/kernels/select.cc: numbers as they stand, whatever their scales."""

    names = ("SELECT_V2",)
    code_bytes = 200
    max_version = 1
    types = ("int8", "int16")
    quantized_types = ()

    def read_operands(self) -> tuple[Tensor, ...]:
        roles = ("value where true", "value where false", "condition")
        places = (1, 2, 0)
        first, second, condition = (
            self.tensor(self.operator.inputs, place, role) for place, role in zip(places, roles, strict=True)
        )
        self.check_type(condition, "condition", ("bool",))
        self.check_type(first, "value", self.types)
        self.check_type(second, "value", (first.dtype,))
        return first, second, condition

    def prepare(self) -> None:
        self.kernel = f"select_{SUFFIXES[self.dtype]}"

    @property
    def replaceable(self) -> tuple[int, ...]:
        """Not the condition: the second call reads it after the first one has written. A value that is written over
        lies where it is to be already, or is read only where nothing has been written."""
        return tuple(index for index in super().replaceable if index != self.operands[2].index)

    def numbers(self) -> dict[str, int]:
        return {}

    def calls(self, prefix: str) -> list[Call]:
        return [self.call((3, position), {"when": str(when)}, prefix) for position, when in ((1, 1), (2, 0))]
