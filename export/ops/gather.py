# SPDX-License-Identifier: Apache-2.0
"""GATHER, GATHER_ND and EMBEDDING_LOOKUP: rows of a tensor, by indices that are constants or computed."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import Moving

MAX_DEPTH = 5  # indices of one name, as in TFLM


class _Gathered(Moving):
    """`prepare` sets the sizes: `batches` of `names` of `depth` indices, each batch looked up in `outer` parts of the
    input, of rows of `row` bytes. A name's place is the sum of its indices times `steps`, and at most `last`."""

    kernel = "gather_s8"
    types = ("int8",)
    moves_bytes = False  # int8 alone, beside indices of int32
    code_bytes = 180
    data_position: ClassVar[int] = 0

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        self.x, self.y = self.pair(self.data_position)
        self.indices = self.carried(operator.inputs, 1 - self.data_position, "indices", ("int32",))
        self.batches = self.outer = 1
        self.prepare()
        self.part = self.last + self.row
        self._check_names()
        self.take(self.x, self.indices)
        self.outputs = (self.y.index,)

    @abstractmethod
    def prepare(self) -> None:
        """Sets the sizes. Raises InputFileError for what is not supported."""

    def _check_names(self) -> None:
        """Raises InputFileError where constants name a row that is not there."""
        if self.indices.data is None:
            return
        names = unpack(self.indices.data, "int32")
        depth = len(self.steps)
        for start in range(0, len(names), depth):
            place = sum(index * step for index, step in zip(names[start : start + depth], self.steps, strict=True))
            if not 0 <= place <= self.last:
                raise self.refuse(f"index {list(names[start : start + depth])} is not within {list(self.x.shape)}")

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "batches": str(self.batches),
            "outer": str(self.outer),
            "names": str(self.names_in_batch),
            "depth": str(len(self.steps)),
            "steps": braces(self.steps, MAX_DEPTH),
            "last": str(self.last),
            "part_bytes": str(self.part),
            "row_bytes": str(self.row),
        }

    steps: list[int]
    names_in_batch: int
    last: int
    row: int


class Gather(_Gathered):
    """Along an axis, with batches of indices."""

    names = ("GATHER",)
    max_version = 7

    def prepare(self) -> None:
        shape, names = self.x.shape, self.indices.shape
        options = self.operator.options
        axis, batch_dims = self.axis(options.get("axis", 0), len(shape)), options.get("batch_dims", 0)
        batch_dims += len(names) if batch_dims < 0 else 0
        if not 0 <= batch_dims <= min(axis, len(names)) or shape[:batch_dims] != names[:batch_dims]:
            raise self.refuse(f"indices {list(names)} have no {batch_dims} batch dimensions of {list(shape)}")
        self.check_shape(self.y, (*shape[:axis], *names[batch_dims:], *shape[axis + 1 :]))
        self.batches = math.prod(shape[:batch_dims])
        self.outer = math.prod(shape[batch_dims:axis])
        self.names_in_batch = math.prod(names[batch_dims:])
        self.row = math.prod(shape[axis + 1 :])
        self.steps = [self.row]
        self.last = (shape[axis] - 1) * self.row


class EmbeddingLookup(_Gathered):
    """Rows of a matrix of int8, as they are."""

    names = ("EMBEDDING_LOOKUP",)
    max_version = 4
    data_position = 1

    def prepare(self) -> None:
        if len(self.indices.shape) != 1 or len(self.x.shape) < 2:
            raise self.refuse(f"takes a list of indices and rows, not {list(self.indices.shape)}, {list(self.x.shape)}")
        self.check_shape(self.y, (*self.indices.shape, *self.x.shape[1:]))
        self.names_in_batch = self.indices.elements
        self.row = math.prod(self.x.shape[1:])
        self.steps = [self.row]
        self.last = (self.x.shape[0] - 1) * self.row


class GatherNd(_Gathered):
    """The last dimension of the indices holds one for each of the input's first dimensions. TFLM looks at the place
    that they lead to, not at each of them."""

    names = ("GATHER_ND",)
    max_version = 5

    def prepare(self) -> None:
        shape, names = self.x.shape, self.indices.shape
        depth = names[-1] if names else 0
        if not 1 <= depth <= min(len(shape), MAX_DEPTH):
            raise self.refuse(f"indices {list(names)} must name 1 to {MAX_DEPTH} dimensions of {list(shape)}")
        self.check_shape(self.y, (*names[:-1], *shape[depth:]))
        self.names_in_batch = math.prod(names[:-1])
        self.row = math.prod(shape[depth:])
        self.steps = [math.prod(shape[axis + 1 :]) for axis in range(depth)]
        self.last = self.x.elements - self.row
