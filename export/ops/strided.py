# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE and STRIDED_SLICE: the output is the input read with other steps."""

from __future__ import annotations

import math
from abc import abstractmethod

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op

MAX_RANK = 5  # as in TFLM


class Strided(Op):
    """`walk`: (count, step in the input's bytes) for each dimension of the output, outermost first."""

    kernel = "strided_s8"
    code_bytes = 220

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        if not 1 <= len(self.x.shape) <= MAX_RANK or 0 in (*self.x.shape, *self.y.shape):
            raise self.refuse(f"input {list(self.x.shape)} is not supported; supported are 1 to {MAX_RANK} dimensions")
        if (self.x.scales, self.x.zero_points) != (self.y.scales, self.y.zero_points):
            raise self.refuse("changes the scale or the zero point, which it must not")
        self.strides = [math.prod(self.x.shape[axis + 1 :]) for axis in range(len(self.x.shape))]
        self.offset = 0
        walk = self.prepare()
        merged: list[tuple[int, int]] = []
        for count, step in walk:
            if count == 1:
                continue
            if merged and merged[-1][1] == count * step:
                merged[-1] = (merged[-1][0] * count, step)
            else:
                merged.append((count, step))
        # The same bytes in the same order are the same memory, as for RESHAPE.
        self.moves_nothing = merged in ([], [(self.x.elements, 1)]) and self.x.elements == self.y.elements
        if self.moves_nothing:
            self.kernel = ""
        self.walk = [(1, 0)] * (MAX_RANK - len(merged)) + merged

    @abstractmethod
    def prepare(self) -> list[tuple[int, int]]:
        """The walk. Raises InputFileError for what is not supported."""

    @property
    def in_place(self) -> bool:
        return self.moves_nothing

    @property
    def taken(self) -> tuple[int, int] | None:
        # One dimension is left of a walk from element to element.
        together = self.walk[-1][1] in (0, 1) and all(count == 1 for count, _ in self.walk[:-1])
        return (self.offset, self.y.bytes) if together else None

    def constants(self) -> list[Constant]:
        return []

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "counts": "{" + ", ".join(str(count) for count, _ in self.walk) + "}",
            "steps": "{" + ", ".join(str(step) for _, step in self.walk) + "}",
            "offset": str(self.offset),
        }


class Transpose(Strided):
    names = ("TRANSPOSE",)
    max_version = 6

    def prepare(self) -> list[tuple[int, int]]:
        permutation = self.integers(1, "permutation", "permutations")
        rank = len(self.x.shape)
        if sorted(permutation) != list(range(rank)):
            raise self.refuse(f"{list(permutation)[:8]} is no permutation of {rank} dimensions")
        if self.y.shape != tuple(self.x.shape[axis] for axis in permutation):
            raise self.refuse(f"output {list(self.y.shape)} does not follow from input {list(self.x.shape)}")
        return [(self.x.shape[axis], self.strides[axis]) for axis in permutation]


class StridedSlice(Strided):
    """begin, end and strides are constants; masks of begin, end and shrunk axes are supported."""

    names = ("STRIDED_SLICE",)
    max_version = 8

    def prepare(self) -> list[tuple[int, int]]:
        option = self.operator.options
        for name in ("ellipsis_mask", "new_axis_mask", "offset"):
            if option.get(name, 0):
                raise self.refuse(
                    f"{name} is not supported; write the slice with one begin, end and stride per dimension"
                )
        begins, ends, strides = (
            self.integers(i, role, "slices") for i, role in enumerate(("begin", "end", "stride"), 1)
        )
        rank = len(self.x.shape)
        if not len(begins) == len(ends) == len(strides) == rank or 0 in strides:
            raise self.refuse(f"needs a begin, an end and a stride other than 0 for each of {rank} dimensions")
        walk, shape = [], []
        for axis, size in enumerate(self.x.shape):
            shrunk = option.get("shrink_axis_mask", 0) >> axis & 1
            begin = None if option.get("begin_mask", 0) >> axis & 1 else begins[axis]
            end = None if option.get("end_mask", 0) >> axis & 1 else ends[axis]
            if shrunk:
                if begin is None or not -size <= begin < size or strides[axis] < 0:
                    raise self.refuse(f"element {begin} of dimension {axis} does not exist, or its stride is negative")
                positions = range(begin % size, begin % size + 1)
            else:
                positions = range(*slice(begin, end, strides[axis]).indices(size))
                shape.append(len(positions))
            if not positions:
                raise self.refuse(f"takes nothing of dimension {axis}")
            self.offset += positions[0] * self.strides[axis]
            walk.append((len(positions), positions.step * self.strides[axis]))
        if self.y.shape != tuple(shape):
            raise self.refuse(f"output {list(self.y.shape)} does not follow from the slice: {shape}")
        return walk
