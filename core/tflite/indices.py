# SPDX-License-Identifier: Apache-2.0
"""Inputs of a model that say where something is: random numbers there are beyond it, and TFLite Micro then gives up,
reads beyond a tensor or ends the process."""

from __future__ import annotations

import math

from tinyproof.core.tflite.dtypes import DTYPES, pack, unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor

# What each element may be; where there are fewer ranges than elements they begin anew.
Ranges = tuple[range, ...]

_SAME_ELEMENTS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def index_ranges(graph: Graph) -> dict[int, Ranges]:
    """By tensor, those that an operator takes for places, sizes or axes. What is computed otherwise is not followed."""
    found: dict[int, Ranges] = {}
    sources: dict[int, int] = {}  # of the same elements under another shape
    for operator in graph.operators:
        if operator.name in _SAME_ELEMENTS and operator.inputs and operator.outputs:
            sources[operator.outputs[0]] = sources.get(operator.inputs[0], operator.inputs[0])
        for position, ranges in _ranges_of(graph, operator).items():
            index = sources.get(operator.inputs[position], operator.inputs[position])
            earlier = found.get(index, ranges)
            if earlier == ranges:
                found[index] = ranges
            else:  # of several readers: what the narrowest takes
                found[index] = (range(min(each.stop for each in (*earlier, *ranges))),)
    return found


def _ranges_of(graph: Graph, operator: Operator) -> dict[int, Ranges]:
    """By place in the operator's list of inputs. Empty for a file that no one would accept."""
    tensors = [None if index == -1 else graph.tensors[index] for index in operator.inputs]
    outputs = [graph.tensors[index] for index in operator.outputs]
    if len(tensors) < 2 or None in tensors[:3] or not outputs:
        return {}
    return _ranges(operator, [tensor for tensor in tensors if tensor is not None], outputs[0])


def _ranges(operator: Operator, inputs: list[Tensor], y: Tensor) -> dict[int, Ranges]:
    first, second = inputs[0].shape, inputs[1].shape
    match operator.name:
        case "GATHER" if -len(first) <= operator.options.get("axis", 0) < len(first):
            return {1: (range(first[operator.options.get("axis", 0)]),)}
        case "EMBEDDING_LOOKUP" if second:
            return {0: (range(second[0]),)}
        case "GATHER_ND" if second and 1 <= second[-1] <= len(first):
            return {1: tuple(range(size) for size in first[: second[-1]])}
        case "SLICE" if len(first) == len(y.shape) and first:
            begins = tuple(range(max(0, whole - part) + 1) for whole, part in zip(first, y.shape, strict=True))
            return {1: begins, 2: tuple(range(part, part + 1) for part in y.shape)}
        case "REVERSE_V2" if math.prod(second) <= len(first):
            return {1: tuple(range(axis, axis + 1) for axis in range(math.prod(second)))}
        case "BROADCAST_ARGS":
            return dict.fromkeys((0, 1), (range(1, 2),))
    return {}


def within(content: bytes, tensor: Tensor, ranges: Ranges) -> bytes:
    """The tensor's bytes with each element brought into its range."""
    if tensor.dtype not in DTYPES or not all(ranges):
        return content
    values = unpack(content, tensor.dtype)
    return pack(
        [
            value if value in allowed else allowed[value % len(allowed)]
            for value, allowed in zip(values, _repeated(ranges, len(values)), strict=True)
        ],
        tensor.dtype,
    )


def _repeated(ranges: Ranges, count: int) -> list[range]:
    return [ranges[place % len(ranges)] for place in range(count)]
