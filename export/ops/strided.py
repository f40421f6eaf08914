# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE, REVERSE_V2 and BROADCAST_TO: the output is the input read with other steps."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import INDEX_TYPES, WHOLE_BYTES, Moving, byte_strides, element_bytes

LOOPS = 5  # of firmware/lib/engine/kernels/strided_copy.h

Walk = list[tuple[int, int]]  # (count, step in the input's bytes) for each dimension of the output, outermost first


class Strided(Moving):
    """`prepare` says how the output walks through the input, and sets `offset` to where it begins."""

    kernel = "strided_copy"
    code_bytes = 220
    input_count: ClassVar[int]
    optional_count: ClassVar[int] = 0

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(self.input_count, optional=self.optional_count)
        self.x, self.y = self.pair()
        self.take(self.x)
        self.outputs = (self.y.index,)
        self.strides = byte_strides(self.x)
        self.offset = 0
        self.row, self.walk = self._lay_out(self.prepare())
        # The same bytes in the same order are the same memory, as for RESHAPE.
        whole = self.kernel == Strided.kernel and self.row == self.x.bytes == self.y.bytes
        self.moves_nothing = whole and self.x.data is None
        if self.moves_nothing:
            self.kernel = ""

    @abstractmethod
    def prepare(self) -> Walk:
        """The walk. Raises InputFileError for what is not supported."""

    def _lay_out(self, walk: Walk) -> tuple[int, Walk]:
        """Bytes of a row, which lies together in both tensors, and the loops around it, as few as will do."""
        row = element_bytes(self.x)
        merged: Walk = []
        for count, step in walk:
            if count == 1:
                continue
            if merged and merged[-1][1] == count * step:
                merged[-1] = (merged[-1][0] * count, step)
            else:
                merged.append((count, step))
        if merged and merged[-1][1] == row:
            row *= merged.pop()[0]
        return row, [(1, 0)] * (LOOPS - len(merged)) + merged

    @property
    def in_place(self) -> bool:
        return self.moves_nothing

    @property
    def taken(self) -> tuple[int, int] | None:
        # All of it is one row of the input, which lies in the arena.
        one_row = self.kernel == Strided.kernel and self.row == self.y.bytes and self.x.data is None
        return (self.offset, self.y.bytes) if one_row else None

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "counts": braces([count for count, _ in self.walk]),
            "steps": braces([step for _, step in self.walk]),
            "offset": str(self.offset),
            "row_bytes": str(self.row),
        }


class Transpose(Strided):
    names = ("TRANSPOSE",)
    max_version = 6
    types = ("int8", "int16")
    input_count = 2

    def prepare(self) -> Walk:
        permutation = self.fixed(1, "permutation")
        rank = len(self.x.shape)
        self.check_rank(self.x, 1, 5)
        if sorted(permutation) != list(range(rank)):
            raise self.refuse(f"{list(permutation)[:8]} is no permutation of {rank} dimensions")
        self.check_shape(self.y, [self.x.shape[axis] for axis in permutation])
        return [(self.x.shape[axis], self.strides[axis]) for axis in permutation]


class Reverse(Strided):
    """Along neighbouring axes, in any order; they may be computed."""

    names = ("REVERSE_V2",)
    max_version = 3
    types = ("int8", "uint8", "int16", "int32", "int64", "bool")
    input_count = 2

    def prepare(self) -> Walk:
        axes = self.tensor(self.operator.inputs, 1, "axis")
        self.check_type(axes, "axis", ("int32",))
        rank = len(self.x.shape)
        self.check_rank(self.x, 1, 6)
        self.check_shape(self.y, self.x.shape)
        self.axes = axes.elements
        if len(axes.shape) != 1 or not 1 <= axes.elements <= rank:
            raise self.refuse(f"axis {list(axes.shape)} must be a list of 1 to {rank} axes")
        if axes.data is None:
            self.kernel = "reverse_rows"
            self.take(self.x, axes)
            return []
        chosen = sorted(self.axis(axis, rank) for axis in self.fixed(1, "axis"))
        if chosen != list(range(chosen[0], chosen[0] + len(chosen))):
            raise self.refuse(f"axes {chosen} are no neighbours; TFLite Micro refuses them too")
        steps = [-step if axis in chosen else step for axis, step in enumerate(self.strides)]
        walk = list(zip(self.x.shape, steps, strict=True))
        self.offset = sum((size - 1) * -step for size, step in walk if step < 0)
        return walk

    def parameters(self, prefix: str) -> dict[str, str]:
        if self.kernel == Strided.kernel:
            return super().parameters(prefix)
        return {
            "rank": str(len(self.x.shape)),
            "axes": str(self.axes),
            "shape": braces(self.x.shape, 6),
            "element_bytes": str(element_bytes(self.x)),
        }


class BroadcastTo(Strided):
    names = ("BROADCAST_TO",)
    max_version = 3
    types = WHOLE_BYTES
    input_count = 2

    def prepare(self) -> Walk:
        self.check_rank(self.y, 0, 5)
        self.check_shape(self.y, self.fixed(1, "shape", INDEX_TYPES))
        missing = len(self.y.shape) - len(self.x.shape)
        sizes = (*([1] * missing), *self.x.shape)
        if missing < 0 or any(size not in (1, wide) for size, wide in zip(sizes, self.y.shape, strict=True)):
            raise self.refuse(f"input {list(self.x.shape)} cannot be broadcast to {list(self.y.shape)}")
        steps = [*([0] * missing), *self.strides]
        return [(wide, step if size > 1 else 0) for size, wide, step in zip(sizes, self.y.shape, steps, strict=True)]
