# SPDX-License-Identifier: Apache-2.0
"""What a model remembers from one inference to the next, in the Python reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Tensor

Array = npt.NDArray[np.int64]


@dataclass
class Memory:
    """`resources`: the values of resource variables by name. `tensors`: of variable tensors by (subgraph, index).
    `private`: what an operator keeps for itself, by (subgraph, operator). All of it begins anew with a new Memory."""

    resources: dict[str, Array] = field(default_factory=dict)
    tensors: dict[tuple[int, int], Array] = field(default_factory=dict)
    private: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)  # of resources; a handle is the place of its name

    def handle(self, name: str) -> int:
        """The number that stands for a resource variable."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def initial(graph: Graph) -> Memory:
    """As TFLite Micro sets it up: every byte of a variable is its zero point's low byte, 0 where there is none
    (MicroResourceVariables::Allocate, MicroInterpreterGraph::ResetTensorData)."""
    memory = Memory()
    for place, subgraph in enumerate(graph.all_graphs):
        for tensor in subgraph.tensors:
            if tensor.is_state:
                memory.tensors[place, tensor.index] = filled(tensor, only_int8=True)
        for value, name in assigned(subgraph):
            memory.resources.setdefault(name, filled(value))
    return memory


def assigned(graph: Graph) -> list[tuple[Tensor, str]]:
    """The tensors that ASSIGN_VARIABLE stores in this subgraph, in its order, and the resource's name."""
    handles = {
        operator.outputs[0]: operator.resource
        for operator in graph.operators
        if operator.name == "VAR_HANDLE" and len(operator.outputs) == 1
    }
    return [
        (graph.tensors[operator.inputs[1]], handles[operator.inputs[0]])
        for operator in graph.operators
        if operator.name == "ASSIGN_VARIABLE" and len(operator.inputs) == 2 and operator.inputs[0] in handles
    ]


def filled(tensor: Tensor, *, only_int8: bool = False) -> Array:
    """The value whose every byte is the low byte of the zero point; `only_int8`: 0 for other types."""
    zero_point = tensor.zero_points[0] if tensor.zero_points and (tensor.dtype == "int8" or not only_int8) else 0
    content = bytes([zero_point & 0xFF]) * tensor.bytes
    return np.frombuffer(content, np.dtype("<" + DTYPES[tensor.dtype].letter)).astype(np.int64).reshape(tensor.shape)
