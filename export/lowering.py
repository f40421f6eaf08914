# SPDX-License-Identifier: Apache-2.0
"""From the graph of a .tflite to the intermediate form: a list of kernel calls between tensors of integers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property

from tinyproof.core.errors import InputFileError
from tinyproof.core.manifest import RemovedChannels
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.export.channels.pruning import prune
from tinyproof.export.inlining import INLINED
from tinyproof.export.kernel_choice import without_poor_kernels
from tinyproof.export.ops import ENDS, OPS
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.constant_output import ConstantOutput, constant_outputs
from tinyproof.export.ops.control import AGAIN, CONTROL, LOOP, Control
from tinyproof.export.rewriting import MAX_STATE_BYTES, rewrite
from tinyproof.export.state_places import settle_states

MAX_CONSTANT_BYTES = 16 << 20  # flash of the largest microcontrollers; bounds what a hostile file makes us write
# What a rewriting leaves nothing of.
REWRITTEN = frozenset(("VAR_HANDLE", "CALL_ONCE", "SHAPE", *INLINED))


@dataclass(frozen=True)
class Program:
    """`ops` run in order. `inputs` and `outputs` are what the device sees, in the arena. `initial`: the bytes that each
    tensor which lives on between inferences begins with, by its index. `views`: tensors that are a part of another one,
    with that one and the byte at which they begin in it. `parts`: what is left of each tensor that lost channels;
    `removed` says how much that is, None where nothing was."""

    graph: Graph
    ops: tuple[Op, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    initial: dict[int, bytes] = field(default_factory=dict)
    views: dict[int, tuple[int, int]] = field(default_factory=dict)
    parts: dict[int, TensorPart] = field(default_factory=dict)
    removed: RemovedChannels | None = None

    @cached_property
    def roots(self) -> dict[int, tuple[int, int]]:
        """Every tensor that has no bytes of its own: the one in whose bytes it lies, and where. What no kernel moves,
        such as a RESHAPE's output, is its input under another name."""
        parts = dict(self.views)
        for op in self.ops:
            if not op.kernel and op.outputs:
                parts.setdefault(op.outputs[0], (op.inputs[0], 0))
        roots = {}
        for index in parts:
            root, start = index, 0
            while root in parts:
                root, offset = parts[root]
                start += offset
            roots[index] = root, start
        return roots

    @cached_property
    def loops(self) -> list[tuple[int, int]]:
        """Numbers of the first and the last operator of each WHILE, inner ones before those around them."""
        found, open_ = [], []
        for number, op in enumerate(self.ops):
            if op.operator.name == LOOP:
                open_.append(number)
            elif op.operator.name == AGAIN:
                found.append((open_.pop(), number))
        return found

    @property
    def branches(self) -> bool:
        """Whether not every operator runs once in each inference."""
        return any(isinstance(op, Control) for op in self.ops)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(op.macs for op in self.ops)

    @property
    def state_bytes(self) -> int:
        """What of the arena lives on between inferences."""
        return sum(map(len, self.initial.values()))

    @property
    def input_bytes(self) -> int:
        """All inputs one after the other."""
        return sum(tensor.bytes for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        """All outputs one after the other."""
        return sum(tensor.bytes for tensor in self.outputs)


def lower(graph: Graph, *, keep_dead: bool = False) -> Program:
    """`keep_dead`: channels that cannot change, or that nobody reads, are computed all the same.

    Raises InputFileError naming every operator that is not supported, or the first that cannot be taken as it is.
    """
    try:
        graph.check_order()
    except InputFileError:
        check_supported(graph, graph.operators)  # an operator that nobody knows is the better reason
        raise
    rewritten = rewrite(graph)
    graph, ends, initial = rewritten.graph, rewritten.ends, dict(rewritten.initial)
    check_supported(graph, rewritten.operators)
    ops = _make_ops(graph, rewritten.operators, initial)
    parts, removed = {}, None
    if not keep_dead:
        outer = (tensor.index for tensor in (*ends.inputs, *ends.outputs))
        pruned = prune(graph, ops, outer, initial.keys() | rewritten.carried)
        if pruned is not None:
            left = _make_ops(pruned.graph, pruned.operators, initial)
            parts, removed = pruned.parts, pruned.removed
            graph, ops = pruned.graph, left
    ops = without_poor_kernels(ops)
    graph, outputs, writers = constant_outputs(graph, ends.outputs)
    ops += [ConstantOutput(graph, writer) for writer in writers]
    tensors = list(graph.tensors)
    for op in ops:
        op.keep(tuple(_remember(op, dtype, count, tensors, initial) for dtype, count in op.private_tensors))
    graph = dataclasses.replace(graph, tensors=tuple(tensors))
    return settle_states(Program(graph, tuple(ops), ends.inputs, outputs, initial, parts=parts, removed=removed))


def _make_ops(graph: Graph, operators: tuple[Operator, ...], initial: dict[int, bytes]) -> list[Op]:
    """Checked by their classes. Raises InputFileError for the first that cannot be taken as it is."""
    ops: list[Op] = []
    budget = MAX_CONSTANT_BYTES
    for operator in operators:
        budget -= sum(len(graph.tensors[index].data or b"") for index in operator.inputs if index != -1)
        if budget < 0:
            raise InputFileError(f"{graph.file}: over {MAX_CONSTANT_BYTES:,} bytes of weights; use a smaller model")
        ops.append((CONTROL.get(operator.name) or OPS[operator.name])(graph, operator))
        made = [index for index in ops[-1].outputs if index not in initial or index in operator.outputs]
        if len(operator.outputs) != len(made):
            raise graph.refuse(operator, f"has {len(operator.outputs)} outputs; it makes {len(made)}")
    return ops


def _remember(op: Op, dtype: str, count: int, tensors: list[Tensor], initial: dict[int, bytes]) -> int:
    """The index of a new tensor that lives on between inferences."""
    state = Tensor(len(tensors), "state", (count,), dtype, (), (), 0, None, is_variable=True)
    if sum(map(len, initial.values())) + state.bytes > MAX_STATE_BYTES:
        raise op.refuse(f"needs {state.bytes:,} bytes of state; all of a model's may have {MAX_STATE_BYTES:,}")
    tensors.append(state)
    initial[state.index] = bytes(state.bytes)
    return state.index


def check_supported(graph: Graph, operators: tuple[Operator, ...]) -> None:
    """Raises InputFileError naming all of `operators`, and of those in the other subgraphs, that are not known."""
    others = (operator for subgraph in graph.all_graphs[1:] for operator in subgraph.operators)
    known = {*OPS, *CONTROL, *REWRITTEN}
    unknown = [operator for operator in (*operators, *others) if operator.name not in known]
    if not unknown:
        return
    names = ", ".join(dict.fromkeys(operator.label for operator in unknown[:20]))
    more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
    raise InputFileError(f"{graph.file}: {names}{more}: {_unsupported(unknown)}")


def _unsupported(unknown: list[Operator]) -> str:
    where = ""
    if any(operator.name in ENDS for operator in unknown):
        where = f"; {' and '.join(ENDS)} only where floats enter and leave the model"
    verb = "is" if len(unknown) == 1 else "are"
    return f"{verb} not supported; supported are {len(OPS)} others, which docs/operators.md lists{where}"
