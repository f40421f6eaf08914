# SPDX-License-Identifier: Apache-2.0
"""FILL and ZEROS_LIKE: a tensor of one value. BROADCAST_ARGS: a shape, computed as data is."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import INDEX_TYPES, Moving, element_bytes


class _Filled(Moving):
    kernel = "fill"
    y: Tensor

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"count": str(self.y.elements), "element_bytes": str(element_bytes(self.y))}


class Fill(_Filled):
    """The value may be computed; the shape is a constant."""

    names = ("FILL",)
    max_version = 4
    types = ("int8", "int32")

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        value, self.y = self.pair(position=1)
        shape = self.fixed(0, "shape", ("int8", "int16", *INDEX_TYPES))
        if value.shape:
            raise self.refuse(f"value {list(value.shape)} must be a scalar")
        self.check_shape(self.y, shape)
        self.take(value)
        self.outputs = (self.y.index,)


class ZerosLike(_Filled):
    """Zeros as they stand in memory, whatever the zero point is. The input is never read."""

    names = ("ZEROS_LIKE",)
    max_version = 1
    types = ("int8", "int32", "int64")

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        x, self.y = self.pair()
        self.check_shape(self.y, x.shape)
        self.take(replace(self.y, shape=(), data=bytes(element_bytes(self.y))))
        self.outputs = (self.y.index,)


class BroadcastArgs(Moving):
    """Where neither shape is a constant; otherwise it is folded."""

    names = ("BROADCAST_ARGS",)
    max_version = 1
    types = INDEX_TYPES
    kernel = "broadcast_args"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        first, self.y = self.pair()
        second = self.carried(operator.inputs, 1, "second input", (first.dtype,))
        self.counts = [first.elements, second.elements]
        if any(len(tensor.shape) != 1 for tensor in (first, second, self.y)):
            raise self.refuse("shapes must be lists of sizes")
        self.take(first, second)
        self.outputs = (self.y.index,)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "counts": braces(self.counts),
            "output_count": str(self.y.elements),
            "element_bytes": str(element_bytes(self.y)),
        }
