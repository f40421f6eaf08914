# SPDX-License-Identifier: Apache-2.0
"""DYNAMIC_UPDATE_SLICE: a tensor with a part of it replaced, where a computed begin says."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import INDEX_TYPES, Moving, byte_strides, element_bytes

MAX_RANK = 6  # as in TFLM
_LOOPS = 5


class DynamicUpdateSlice(Moving):
    """A begin that is too far is moved until the part lies within."""

    names = ("DYNAMIC_UPDATE_SLICE",)
    kernel = "update_slice"
    code_bytes = 300
    max_version = 4
    types = ("int8", "int16", "int32")

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(3)
        self.x, self.y = self.pair()
        update = self.carried(operator.inputs, 1, "update", (self.x.dtype,))
        begin = self.carried(operator.inputs, 2, "begin", INDEX_TYPES)
        rank = len(self.x.shape)
        self.check_rank(self.x, 1, MAX_RANK)
        self.check_shape(self.y, self.x.shape)
        if begin.shape != (rank,) or len(update.shape) != rank:
            raise self.refuse(f"needs a begin and a size of the update for each of {rank} dimensions")
        self.limits = [whole - part for whole, part in zip(self.x.shape, update.shape, strict=True)]
        if min(self.limits) < 0:
            raise self.refuse(f"update {list(update.shape)} is larger than the input {list(self.x.shape)}")
        self.index_bytes = element_bytes(begin)
        self.strides = byte_strides(self.x)
        self.shape = update.shape
        self.take(self.x, update, begin)
        self.outputs = (self.y.index,)

    @property
    def in_place(self) -> bool:
        """Unless the update may be the input under another name."""
        return self.x.data is None and any(self.limits)

    def parameters(self, prefix: str) -> dict[str, str]:
        row = self.shape[-1] * element_bytes(self.x)
        missing = _LOOPS - (len(self.shape) - 1)
        return {
            "operand_bytes": str(self.x.bytes),
            "dimensions": str(len(self.shape)),
            "index_bytes": str(self.index_bytes),
            "limits": braces(self.limits, MAX_RANK),
            "strides": braces(self.strides, MAX_RANK),
            "counts": braces([*([1] * missing), *self.shape[:-1]]),
            "steps": braces([*([0] * missing), *self.strides[:-1]]),
            "row_bytes": str(row),
        }
