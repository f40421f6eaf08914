# SPDX-License-Identifier: Apache-2.0
"""What is no operator of the schema: an output of the model that is a constant, written anew in each inference."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.moving import Moving, element_bytes

NAME = "constant output"


class ConstantOutput(Moving):
    """The constant is copied, or one element of it repeated where all are the same."""

    max_version = 1
    kernel = "copy_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        constant, self.y = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
        self.outputs = (self.y.index,)
        width, data = element_bytes(constant), constant.data or b""
        if data == data[:width] * constant.elements:
            self.kernel = "fill"
            constant = replace(constant, shape=(), data=data[:width])
        self.take(constant)

    def parameters(self, prefix: str) -> dict[str, str]:
        if self.kernel == "fill":
            return {"count": str(self.y.elements), "element_bytes": str(element_bytes(self.y))}
        numbers = {"rows": 1, "row_bytes": self.y.bytes}
        numbers |= dict.fromkeys(("input_offset", "input_step", "output_offset", "output_step"), 0)
        return {name: str(value) for name, value in numbers.items()}


def constant_outputs(graph: Graph, outputs: tuple[Tensor, ...]) -> tuple[Graph, tuple[Tensor, ...], list[Operator]]:
    """The graph with a tensor of the arena for each output that is a constant, the outputs with these in their places,
    and what writes them."""
    tensors = list(graph.tensors)
    writers: list[Operator] = []
    places: dict[int, Tensor] = {}
    for output in outputs:
        constant = tensors[output.index]
        if constant.data is None or constant.index in places:
            continue
        place = replace(constant, index=len(tensors), data=None)
        places[constant.index] = place
        tensors.append(place)
        number = len(graph.operators) + len(writers)
        writers.append(Operator(number, NAME, 1, (constant.index,), (place.index,), {}))
    found = tuple(places.get(output.index, output) for output in outputs)
    return replace(graph, tensors=tuple(tensors)), found, writers
