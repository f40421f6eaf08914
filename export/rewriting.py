# SPDX-License-Identifier: Apache-2.0
"""What happens to a graph before its operators become kernel calls: constants are folded, and state becomes tensors.

Every operator that depends on constants and shapes alone is computed here, by the Python reference. A resource variable
becomes a tensor that lives on between inferences: VAR_HANDLE and CALL_ONCE leave nothing behind on the device but that
tensor's first value.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import STATEFUL
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.ends import Ends, device_ends, needed_operators
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.inlining import inline
from tinyproof.export.ops import OPS
from tinyproof.export.ops.moving import Moving

MAX_STATE_BYTES = 4 << 20  # RAM of the largest microcontrollers; bounds what a hostile file may ask for
MAX_FOLDED_BYTES = 16 << 20  # of all tensors computed here; bounds what a hostile file costs


# What a kernel of the Python reference raises where a file asks for what cannot be.
UNSOUND = (ArithmeticError, AttributeError, ValueError, IndexError, TypeError, KeyError, MemoryError)


@dataclass(frozen=True)
class Rewritten:
    """`graph` has the tensors that were added, `operators` are those left to run, in order. `initial`: the first bytes
    of each variable tensor by its index. `carried`: tensors that a loop hands on from one turn to the next."""

    graph: Graph
    ends: Ends
    operators: tuple[Operator, ...]
    initial: dict[int, bytes]
    carried: set[int]


def rewrite(graph: Graph) -> Rewritten:
    """Raises InputFileError for state that tinyproof cannot follow, and for what cannot be computed."""
    ends = device_ends(graph)
    inlined = inline(graph, ends.operators)
    graph, operators = inlined.graph, inlined.operators
    tensors = list(graph.tensors)
    _check_state(graph)
    initial = {tensor.index: bytes([_zero_byte(tensor)]) * tensor.bytes for tensor in tensors if tensor.is_state}
    if any(operator.name in ("VAR_HANDLE", "CALL_ONCE") for operator in operators):
        operators = _resources(graph, tensors, operators, initial)
    operators = _fold(graph, tensors, operators)
    changed = dataclasses.replace(graph, tensors=tuple(tensors))
    wanted = {tensor.index for tensor in ends.outputs} | initial.keys() | inlined.carried
    left = needed_operators(operators, wanted)
    return Rewritten(changed, ends, left, initial, inlined.carried)


def _check_state(graph: Graph) -> None:
    """Raises InputFileError for more of it than any device has."""
    total = sum(tensor.bytes for tensor in graph.tensors if tensor.is_state)
    for each in graph.all_graphs:
        assigned = [index for part in each.operators if part.name == "ASSIGN_VARIABLE" for index in part.inputs[1:2]]
        total += sum(each.tensors[index].bytes for index in assigned if index != -1)
    if total > MAX_STATE_BYTES:
        raise InputFileError(f"{graph.file}: keeps over {MAX_STATE_BYTES:,} bytes of state; use a smaller model")


def _zero_byte(tensor: Tensor) -> int:
    """MicroInterpreterGraph::ResetTensorData."""
    return tensor.zero_points[0] & 0xFF if tensor.dtype == "int8" and tensor.zero_points else 0


def _fold(graph: Graph, tensors: list[Tensor], operators: list[Operator]) -> list[Operator]:
    """Computes what is constant, puts it into `tensors`, and returns what is left."""
    left, budget = [], MAX_FOLDED_BYTES
    for operator in operators:
        known = all(index == -1 or tensors[index].data is not None for index in operator.inputs)
        kept = operator.name in STATEFUL or operator.name.startswith("CUSTOM Signal")  # options not looked at yet
        foldable = operator.name == "SHAPE" or (known and operator.inputs and not kept)
        outputs = [tensors[index] for index in operator.outputs]
        if not foldable or any(y.dtype not in DTYPES for y in outputs) or not _computable(operator):
            left.append(operator)
            continue
        budget -= sum(y.bytes for y in outputs)
        if budget < 0:
            raise InputFileError(f"{graph.file}: over {MAX_FOLDED_BYTES:,} bytes of constants; use a smaller model")
        for tensor, data in zip(outputs, _compute(graph, tensors, operator), strict=True):
            tensors[tensor.index] = dataclasses.replace(tensor, data=data)
    return left


def _computable(operator: Operator) -> bool:
    from tinyproof.core.reference.kernels import KERNELS  # and with it NumPy, which few models need here

    return operator.name in KERNELS


def _compute(graph: Graph, tensors: list[Tensor], operator: Operator) -> list[bytes]:
    """The outputs' bytes of an operator on constants."""
    from tinyproof.core.reference.interpreter import compute

    known = dataclasses.replace(graph, tensors=tuple(tensors))
    kind = OPS.get(operator.name)
    if kind is not None and issubclass(kind, Moving):
        kind(known, operator)  # what TFLite Micro refuses is refused, though the Python reference may know an answer
    try:
        return compute(known, operator)
    except UNSOUND:
        raise graph.refuse(operator, "cannot be computed from its constants; convert the model again") from None


def _resources(
    graph: Graph, tensors: list[Tensor], operators: list[Operator], initial: dict[int, bytes]
) -> list[Operator]:
    """A variable tensor for each resource; reads and assignments become copies from and to it."""
    from tinyproof.core.reference.interpreter import first_values

    try:
        values = first_values(graph)
    except UNSOUND:
        first = next(operator for operator in graph.operators if operator.name in ("CALL_ONCE", "VAR_HANDLE"))
        raise graph.refuse(first, "its state cannot be computed; convert the model again") from None
    names: dict[int, str] = {}  # of the resource that a handle stands for
    states: dict[str, int] = {}  # index of its tensor
    left = []
    for operator in operators:
        if operator.name == "VAR_HANDLE":
            names[operator.outputs[0]] = operator.resource
        elif operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            reads = operator.name == "READ_VARIABLE"
            places = (operator.inputs, operator.outputs)
            if tuple(map(len, places)) != ((1, 1) if reads else (2, 0)) or operator.inputs[0] not in names:
                raise graph.refuse(operator, "its variable is not named by a VAR_HANDLE before it")
            value = tensors[operator.outputs[0] if reads else operator.inputs[1]]
            name = names[operator.inputs[0]]
            if name not in states:
                if name not in values:
                    raise graph.refuse(operator, "reads a variable that nothing ever assigns")
                state = dataclasses.replace(value, index=len(tensors), name="state", data=None, is_variable=True)
                states[name] = state.index
                initial[state.index] = values[name]
                tensors.append(state)
            state = tensors[states[name]]
            if value.bytes != state.bytes or len(initial[state.index]) != state.bytes or value.dtype != state.dtype:
                raise graph.refuse(operator, f"{value.label} has not the type and size of its variable")
            source, target = (state, value) if reads else (value, state)
            left.append(dataclasses.replace(operator, inputs=(source.index,), outputs=(target.index,)))
        elif operator.name != "CALL_ONCE":
            left.append(operator)
    return left
