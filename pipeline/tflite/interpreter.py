# SPDX-License-Identifier: Apache-2.0
"""An interpreter of int8 graphs in NumPy, for machines without the tflite-micro wheel; bit-exact with it by test.

It follows TFLM's formulas as they stand, without the exporter's folding and encoding, so it is a second opinion.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.errors import InputFileError
from pipeline.tflite.arithmetic import activation_range, quantize_multiplier, requantize, weight_multipliers
from pipeline.tflite.ends import device_ends
from pipeline.tflite.graph import Graph, Operator
from pipeline.tflite.schema import ACTIVATIONS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.int64]


class Interpreter:
    """Takes graphs that the exporter accepts. Raises InputFileError naming an operator that it does not know."""

    name = "python"

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._x, self._y, self._operators = device_ends(graph)
        for operator in self._operators:
            if operator.name not in _KERNELS:
                raise graph.refuse(operator, f"the Python reference has only {', '.join(_KERNELS)}; use Linux x86-64")

    def run(self, x_q: bytes) -> bytes:
        return self.trace(x_q, [self._y.index])[0]

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]:
        import numpy as np

        values = {self._x.index: np.frombuffer(x_q, np.int8).astype(np.int64)}
        for operator in self._operators:
            values[operator.outputs[0]] = _KERNELS[operator.name](self._graph, operator, values[operator.inputs[0]])
        return [values[index].astype(np.int8).tobytes() for index in indices]


def _fully_connected(graph: Graph, operator: Operator, x: Array) -> Array:
    """acc = bias + sum (x_q - x_zero_point) w_q, rescaled and clamped; x and the result are flat."""
    import numpy as np

    tensors = [graph.tensors[index] if index != -1 else None for index in operator.inputs]
    source, weights, bias = tensors[0], tensors[1], tensors[2] if len(tensors) > 2 else None
    output = graph.tensors[operator.outputs[0]]
    if source is None or weights is None or weights.data is None or not source.scales or not output.scales:
        raise graph.refuse(operator, "the Python reference needs quantized tensors and constant weights")
    units, depth = weights.shape
    w = np.frombuffer(weights.data, np.int8).astype(np.int64).reshape(units, depth)
    accumulators = (x.reshape(-1, depth) - source.zero_points[0]) @ w.T
    if bias is not None and bias.data is not None:
        accumulators = accumulators + np.array(struct.unpack(f"<{units}i", bias.data), np.int64)
    if np.abs(accumulators).max(initial=0) >= 2**31:
        raise InputFileError(f"{graph.file}: {operator.label}: overflows 32 bits; scale the model's inputs")
    rescale = [quantize_multiplier(r) for r in weight_multipliers(source.scales[0], weights.scales, output.scales[0])]
    activation = ACTIVATIONS[operator.options.get("fused_activation_function", 0)]
    low, high = activation_range(activation, output.scales[0], output.zero_points[0])
    rows = [
        [requantize(int(a), *rescale[unit % len(rescale)]) + output.zero_points[0] for unit, a in enumerate(row)]
        for row in accumulators
    ]
    return np.clip(np.array(rows, np.int64), low, high).reshape(-1)


def _reshape(graph: Graph, operator: Operator, x: Array) -> Array:
    return x


_KERNELS: dict[str, Callable[[Graph, Operator, Array], Array]] = {
    "FULLY_CONNECTED": _fully_connected,
    "RESHAPE": _reshape,
}
