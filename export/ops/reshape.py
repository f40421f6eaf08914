# SPDX-License-Identifier: Apache-2.0
"""RESHAPE: the same bytes under another shape, so nothing happens on the device."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op

REACH = 64  # operators before a reshape among which its shape is computed; bounds what a hostile file costs


class Reshape(Op):
    """Output and input share their memory. The new shape is the output tensor's; a shape input must be constant, or
    follow from shapes alone."""

    names = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
    max_version = 1

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        x = self.activation(operator.inputs, 0, "input")
        y = self.activation(operator.outputs, 0, "output")
        shape = self.optional(operator.inputs, 1)
        if shape is not None and not is_fixed(graph, operator, shape.index):
            raise self.refuse(f"the shape {shape.label} is computed at run time; tinyproof takes fixed shapes")
        if x.elements != y.elements:
            raise self.refuse(f"cannot make {list(y.shape)} of {list(x.shape)}")
        if (x.scales, x.zero_points) != (y.scales, y.zero_points):
            raise self.refuse("changes the scale or the zero point, which a reshape must not")
        self.inputs, self.outputs = (x.index,), (y.index,)

    @property
    def in_place(self) -> bool:
        return True

    def constants(self) -> list[Constant]:
        return []

    def parameters(self, prefix: str) -> dict[str, str]:
        return {}


def is_fixed(graph: Graph, reader: Operator, index: int) -> bool:
    """Whether a tensor depends on constants and shapes only, never on data: what Keras's Flatten computes with SHAPE,
    STRIDED_SLICE and PACK where the batch is open."""
    wanted = {index}
    for operator in reversed(graph.operators[max(0, reader.index - REACH) : reader.index]):
        if not wanted.isdisjoint(operator.outputs):
            wanted.difference_update(operator.outputs)
            wanted.update(() if operator.name == "SHAPE" else (i for i in operator.inputs if i != -1))
    return all(graph.tensors[i].data is not None for i in wanted)
