# SPDX-License-Identifier: Apache-2.0
"""An interpreter of integer graphs in NumPy, for machines without the tflite-micro wheel; bit-exact with it by test.

It follows TFLite Micro's formulas as they stand, without the exporter's folding, encoding and tables, so it is a second
opinion. What a kernel takes and returns: bound_operator.computes.
"""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator
from tinyproof.core.reference.kernels import KERNELS
from tinyproof.core.reference.memory import Memory, assigned, initial
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph, Operator, Tensor

MAX_DEPTH = 16  # of subgraphs that call one another


class Interpreter:
    """Takes graphs that the exporter accepts. Raises InputFileError naming an operator that it does not know."""

    name = "python"

    def __init__(self, graph: Graph) -> None:
        self._graphs = graph.all_graphs
        self._ends = device_ends(graph)
        self._depth = 0
        for subgraph in self._graphs:
            for operator in subgraph.operators if subgraph is not graph else self._ends.operators:
                if operator.name not in KERNELS:
                    raise subgraph.refuse(
                        operator, f"is not supported by the Python reference, which has {len(KERNELS)} others"
                    )
        self._constants = [
            {tensor.index: constant(tensor) for tensor in subgraph.tensors if tensor.data and tensor.dtype in DTYPES}
            for subgraph in self._graphs
        ]
        self.reset()

    def reset(self) -> None:
        """To the state in which the model begins."""
        self.memory = initial(self._graphs[0])
        self._values: dict[int, Array] = {}

    def run(self, x_q: bytes) -> bytes:
        """One inference: all inputs one after the other, and so the outputs. Raises InputFileError naming an operator
        whose sums leave 32 bits."""
        ends = zip(self._ends.inputs, self._ends.parts(x_q), strict=True)
        values = {tensor.index: from_bytes(content, tensor) for tensor, content in ends}
        self._values = self._run(0, self._ends.operators, values)
        return b"".join(to_bytes(self._values[tensor.index], tensor) for tensor in self._ends.outputs)

    def tensors(self, indices: list[int]) -> list[bytes]:
        """What the last inference left in tensors of the main subgraph."""
        return [to_bytes(self._values[index], self._graphs[0].tensors[index]) for index in indices]

    def _run(self, number: int, operators: tuple[Operator, ...], values: dict[int, Array]) -> dict[int, Array]:
        graph = self._graphs[number]
        values = {**self._constants[number], **values}
        values |= {index: value for (place, index), value in self.memory.tensors.items() if place == number}
        for operator in operators:
            bound = self._bind(graph, number, operator)
            inputs = [values.get(index) for index in operator.inputs]
            try:
                made = KERNELS[operator.name](bound, *inputs)
            except OverflowError:
                raise graph.refuse(operator, "overflows 32 bits; scale the model's inputs") from None
            for tensor, value in zip(bound.outputs, made if isinstance(made, list) else [made], strict=True):
                values[tensor.index] = value if tensor.dtype not in DTYPES else value.reshape(tensor.shape)
        return values

    def _bind(self, graph: Graph, number: int, operator: Operator) -> BoundOperator:
        def tensors(indices: tuple[int, ...]) -> tuple[Tensor, ...]:
            return tuple(graph.tensors[index] for index in indices if index != -1)

        return BoundOperator(
            operator,
            tensors(operator.inputs),
            tensors(operator.outputs),
            self.memory,
            self.memory.private.setdefault((number, operator.index), {}),
            self._run_subgraph,
            graph.tensors,
        )

    def _run_subgraph(self, number: int, inputs: list[Array]) -> list[Array]:
        main = self._graphs[0]
        if not 0 < number < len(self._graphs) or self._depth >= MAX_DEPTH:
            raise main.refuse(main.operators[0], f"calls subgraph {number}, which is not there or calls itself")
        graph = self._graphs[number]
        self._depth += 1
        try:
            values = self._run(number, graph.operators, dict(zip(graph.inputs, inputs, strict=True)))
        finally:
            self._depth -= 1
        return [values[index] for index in graph.outputs]


def compute(graph: Graph, operator: Operator) -> list[bytes]:
    """The outputs of one operator whose inputs are all constants (or of which it reads the shape alone)."""
    lone = Interpreter.__new__(Interpreter)
    lone._graphs, lone._depth, lone.memory = (graph,), 0, Memory()
    bound = lone._bind(graph, 0, operator)
    values = [None if index == -1 else _value(graph.tensors[index]) for index in operator.inputs]
    made = KERNELS[operator.name](bound, *values)
    made = made if isinstance(made, list) else [made]
    return [to_bytes(value.reshape(tensor.shape), tensor) for tensor, value in zip(bound.outputs, made, strict=True)]


def _value(tensor: Tensor) -> Array:
    return np.broadcast_to(np.int64(0), tensor.shape) if tensor.data is None else constant(tensor)


def first_values(graph: Graph) -> dict[str, bytes]:
    """What each resource variable holds after the first CALL_ONCE operators of the main subgraph, by name."""
    started = Interpreter(graph)
    for operator in graph.operators:
        if operator.name == "CALL_ONCE":
            KERNELS["CALL_ONCE"](started._bind(graph, 0, operator))
    kinds = {name: tensor for each in started._graphs for tensor, name in assigned(each)}
    return {name: to_bytes(value, kinds[name]) for name, value in started.memory.resources.items() if name in kinds}


def constant(tensor: Tensor) -> Array:
    """The value of a constant tensor; of uint64 its bits."""
    kind = np.uint64 if tensor.dtype == "uint64" else np.int64
    numbers: Array = np.array(unpack(tensor.data or b"", tensor.dtype), kind).astype(np.int64)
    return numbers[: tensor.elements].reshape(tensor.shape)


def from_bytes(content: bytes, tensor: Tensor) -> Array:
    """Little-endian bytes as the value of a tensor."""
    numbers: Array = np.frombuffer(content, _numpy_type(tensor)).astype(np.int64)
    return numbers.reshape(tensor.shape)


def to_bytes(value: Array, tensor: Tensor) -> bytes:
    """The reverse."""
    return value.astype(_numpy_type(tensor)).tobytes()


def _numpy_type(tensor: Tensor) -> np.dtype[np.generic]:
    return np.dtype("<" + DTYPES[tensor.dtype].letter)
