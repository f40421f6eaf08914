# SPDX-License-Identifier: Apache-2.0
"""CAST between integers and bool: the lowest bytes, or more of the sign; to bool, whether any bit is set."""

from __future__ import annotations

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op

_TYPES = ("int8", "int16", "int32", "uint32", "bool")


class Cast(Op):
    """micro/kernels/cast.cc. Between types of one size nothing is left to do, but for those to bool."""

    names = ("CAST",)
    max_version = 6
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.computed(operator.inputs, 0, "input", _TYPES)
        self.y = self.computed(operator.outputs, 0, "output", _TYPES)
        if self.x.elements != self.y.elements:
            raise self.refuse(f"output {list(self.y.shape)} and input {list(self.x.shape)} differ in size")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self.sizes = tuple(DTYPES[tensor.dtype].bits // 8 for tensor in (self.x, self.y))
        self.truth = self.y.dtype == "bool" and self.x.dtype != "bool"
        if self.truth or self.sizes[0] != self.sizes[1]:
            self.kernel = "cast_bytes"

    @property
    def in_place(self) -> bool:
        return self.sizes[0] == self.sizes[1]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "count": self.x.elements,
            "input_bytes": self.sizes[0],
            "output_bytes": self.sizes[1],
            "truth": int(self.truth),
        }
        return {name: str(value) for name, value in numbers.items()}
