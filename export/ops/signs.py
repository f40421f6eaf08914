# SPDX-License-Identifier: Apache-2.0
"""Which tensors never hold a negative number, whatever the model is asked."""

from __future__ import annotations

from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor

_TYPES = ("int8", "int16")  # sums of wider ones wrap
_MOST_SUMMED = 2**15  # elements whose sum is sure to fit 32 bits
_SQUARES = ("SQUARED_DIFFERENCE", "ABS")
# Their answer is not negative where no operand is: each is rescaled by a positive factor, and sums are rounded last.
_KEEPERS = ("ADD", "MUL", "MEAN", "SUM", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "MAX_POOL_2D")


def is_never_negative(graph: Graph, tensor: Tensor) -> bool:
    """Proven from the operators that lead there; False says only that it was not."""
    zero_point = tensor.zero_points[0] if tensor.zero_points else 0
    if tensor.data is not None:
        return min(unpack(tensor.data, tensor.dtype)) >= zero_point
    producer = next((operator for operator in graph.operators if tensor.index in operator.outputs), None)
    if producer is None or tensor.dtype not in _TYPES:
        return False
    if producer.name in _SQUARES or _is_square(producer):
        return True
    operands = [graph.tensors[index] for index in producer.inputs if index >= 0]
    if producer.name in ("MEAN", "SUM", "RESHAPE", "EXPAND_DIMS"):
        operands = operands[:1]  # the others are axes and sizes
    return (
        producer.name in _KEEPERS
        and operands[0].elements <= _MOST_SUMMED * tensor.elements
        and all(is_never_negative(graph, operand) for operand in operands)
    )


def _is_square(operator: Operator) -> bool:
    return operator.name == "MUL" and operator.inputs[0] == operator.inputs[1]
