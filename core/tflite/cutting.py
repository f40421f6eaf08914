# SPDX-License-Identifier: Apache-2.0
"""Some operators of a .tflite as a file of their own, which any interpreter of such files can run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.schema import IDENTIFIER
from tinyproof.core.tflite.schema_classes import schema_classes

_SHAPE_ALONE = {"RESHAPE": 1, "SHAPE": 0, "ZEROS_LIKE": 0}  # how many inputs are read as data, where not all are


def operators_between(graph: Graph, inputs: Sequence[int], outputs: Sequence[int]) -> list[int] | None:
    """Numbers of the operators that make the tensors `outputs` of `inputs` and constants; None where they take more."""
    makers = {made: number for number, operator in enumerate(graph.operators) for made in operator.outputs}
    found: set[int] = set()
    asked = [index for index in outputs if index not in inputs]
    while asked:
        index = asked.pop()
        if index in inputs or graph.tensors[index].data is not None:
            continue
        number = makers.get(index)
        if number is None or index in graph.inputs or graph.tensors[index].is_variable:
            return None
        if number not in found:
            found.add(number)
            operator = graph.operators[number]
            asked += [one for one in operator.inputs[: _SHAPE_ALONE.get(operator.name)] if one != -1]
    return sorted(found)


def can_cut() -> bool:
    """Whether there is what a Cutter needs: tflite-micro, or TensorFlow."""
    try:
        schema_classes()
    except ImportError:
        return False
    return True


class Cutter:
    """Of one file, which is read once."""

    def __init__(self, tflite: bytes) -> None:
        self._tflite = tflite

    def cut(self, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """A model of these operators of the first graph; its inputs and outputs are these tensors, in their order.
        Tensors keep their numbers."""
        import flatbuffers

        schema = schema_classes()
        model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(self._tflite, 0))
        graph = model.subgraphs[0]
        graph.operators = [graph.operators[number] for number in operators]
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        read = {index for operator in graph.operators for index in operator.inputs if index != -1}
        kept = {graph.tensors[index].buffer for index in read}
        for number, buffer in enumerate(model.buffers):
            if number not in kept:
                buffer.data = None
        model.subgraphs, model.signatureDefs, model.metadata, model.metadataBuffer = [graph], None, None, None
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())
