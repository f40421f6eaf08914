# SPDX-License-Identifier: Apache-2.0
"""An interpreter of int8 graphs in NumPy, for machines without the tflite-micro wheel; bit-exact with it by test.

It follows TFLite Micro's formulas as they stand, without the exporter's folding, encoding and tables, so it is a second
opinion. What a kernel takes and returns: bound_operator.computes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyproof.core.reference.bound_operator import Array, BoundOperator
from tinyproof.core.reference.kernels import KERNELS
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph, Tensor

_DTYPES: dict[str, npt.DTypeLike] = {"int8": np.int8, "int32": np.dtype("<i4")}


class Interpreter:
    """Takes graphs that the exporter accepts. Raises InputFileError naming an operator that it does not know."""

    name = "python"

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._x, self._y, operators = device_ends(graph)
        self._steps = [BoundOperator.of(graph, operator) for operator in operators]
        for operator in operators:
            if operator.name not in KERNELS:
                raise graph.refuse(
                    operator, f"is not supported by the Python reference, which has {', '.join(KERNELS)}"
                )
        read = [tensor for step in self._steps for tensor in step.inputs]
        self._constants = {
            tensor.index: _constant(tensor) for tensor in read if tensor.data and tensor.dtype in _DTYPES
        }

    def run(self, x_q: bytes) -> bytes:
        return self.trace(x_q, [self._y.index])[0]

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]:
        """Raises InputFileError naming an operator whose sums leave 32 bits."""
        values = dict(self._constants)
        values[self._x.index] = np.frombuffer(x_q, np.int8).astype(np.int64).reshape(self._x.shape)
        for step in self._steps:
            inputs = [values.get(index) for index in step.operator.inputs]
            try:
                made = KERNELS[step.operator.name](step, *inputs)
            except OverflowError:
                why = "overflows 32 bits; scale the model's inputs"
                raise self._graph.refuse(step.operator, why) from None
            for tensor, value in zip(step.outputs, made if isinstance(made, list) else [made], strict=True):
                values[tensor.index] = value.reshape(tensor.shape)
        return [values[index].astype(np.int8).tobytes() for index in indices]


def _constant(tensor: Tensor) -> Array:
    numbers: Array = np.frombuffer(tensor.data or b"", _DTYPES[tensor.dtype]).astype(np.int64)
    return numbers.reshape(tensor.shape)
