# SPDX-License-Identifier: Apache-2.0
"""IF and WHILE: the operators of their subgraphs are put where they stand, between lines that branch and loop.

Each tensor of a subgraph becomes one of the main graph. What goes in keeps its bytes under the subgraph's name, what
comes out is copied, as TFLite Micro does (micro/kernels/{if,while}.cc).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from tinyproof.core.reference.golden import is_stateful
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.control import AGAIN, ALIAS, COPY, ELSE, END, IF, LOOP, TEST

INLINED = ("IF", "WHILE")
MAX_PARTS = 20_000  # tensors and operators of all together; a hostile file's subgraphs may call one another often
MAX_DEPTH = 16  # of subgraphs in subgraphs


@dataclass
class Inlined:
    """`graph` has the subgraphs' tensors, too. `carried`: those that a loop hands on from one turn to the next."""

    graph: Graph
    operators: list[Operator] = field(default_factory=list)
    carried: set[int] = field(default_factory=set)


def inline(graph: Graph, operators: tuple[Operator, ...]) -> Inlined:
    """Raises InputFileError for subgraphs that do not fit or call themselves."""
    if not any(operator.name in INLINED for operator in operators):
        return Inlined(graph, list(operators))
    inliner = _Inliner(graph)
    for operator in operators:
        inliner.add(operator, 0)
    changed = dataclasses.replace(graph, tensors=tuple(inliner.tensors))
    return Inlined(changed, inliner.operators, inliner.carried)


class _Inliner:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors = list(graph.tensors)
        self.operators: list[Operator] = []
        self.carried: set[int] = set()
        self.used: set[int] = set()  # subgraphs that remember something

    def add(self, operator: Operator, depth: int) -> None:
        """An operator whose tensors are those of the main graph."""
        if operator.name == "IF":
            self._if(operator, depth)
        elif operator.name == "WHILE":
            self._while(operator, depth)
        elif depth and operator.name == "CALL_ONCE":
            raise self.graph.refuse(operator, "is in a subgraph of an IF or WHILE; supported is the main one")
        else:
            self.operators.append(operator)

    def _if(self, operator: Operator, depth: int) -> None:
        if not operator.inputs or -1 in operator.inputs:
            raise self.graph.refuse(operator, "has no condition, or leaves out an input")
        self._mark(operator, IF, operator.inputs[0])
        for line, option in ((ELSE, "then_subgraph_index"), (END, "else_subgraph_index")):
            made = self._call(operator, option, operator.inputs[1:], len(operator.outputs), depth, copied=False)
            for source, target in zip(made, operator.outputs, strict=True):
                self._copy(operator, source, target)
            self._mark(operator, line)

    def _while(self, operator: Operator, depth: int) -> None:
        carried = operator.outputs
        if len(operator.inputs) != len(carried) or -1 in operator.inputs:
            raise self.graph.refuse(operator, f"hands on {len(carried)} tensors of {len(operator.inputs)}")
        self.carried.update(carried)
        for source, target in zip(operator.inputs, carried, strict=True):
            self._copy(operator, source, target)
        self._mark(operator, LOOP)
        (condition, *_) = self._call(operator, "cond_subgraph_index", carried, 0, depth, copied=False)
        self._mark(operator, TEST, condition)
        # With several of them an output of the body may be another one's old value.
        copied = len(carried) > 1
        made = self._call(operator, "body_subgraph_index", carried, len(carried), depth, copied=copied)
        for source, target in zip(made, carried, strict=True):
            self._copy(operator, source, target)
        self._mark(operator, AGAIN)

    def _call(
        self, operator: Operator, option: str, inputs: tuple[int, ...], outputs: int, depth: int, *, copied: bool
    ) -> tuple[int, ...]:
        """Puts a subgraph in; returns its outputs, so many of them (0: at least one)."""
        number = operator.options.get(option, 0)
        graph = self.graph.subgraphs[number] if 0 < number < len(self.graph.subgraphs) else None
        if graph is None:
            raise self.graph.refuse(operator, f"calls subgraph {number}, which is not there or is the main one")
        if len(graph.inputs) != len(inputs) or len(graph.outputs) < 1 or len(graph.outputs) != (outputs or 1):
            raise self.graph.refuse(operator, f"and its subgraph {number} do not take or give the same tensors")
        parts = len(self.tensors) + len(graph.tensors) + len(self.operators) + len(graph.operators)
        if parts > MAX_PARTS + len(self.graph.tensors) or depth >= MAX_DEPTH:
            raise self.graph.refuse(operator, "has subgraphs that are too many or call themselves; use a smaller model")
        graph.check_order()
        if is_stateful(graph):
            if number in self.used:
                raise self.graph.refuse(operator, f"shares subgraph {number}, which remembers something")
            self.used.add(number)
        base = len(self.tensors)
        self.tensors += [dataclasses.replace(tensor, index=base + tensor.index) for tensor in graph.tensors]
        for source, place in zip(inputs, graph.inputs, strict=True):
            self._enter(operator, source, base + place, copied=copied)
        for part in graph.operators:
            inner = dataclasses.replace(
                part,
                inputs=_moved(part.inputs, base),
                outputs=_moved(part.outputs, base),
                intermediates=_moved(part.intermediates, base),
            )
            self.add(inner, depth + 1)
        return tuple(base + index for index in graph.outputs)

    def _enter(self, operator: Operator, source: int, target: int, *, copied: bool) -> None:
        x, inner = self.tensors[source], self.tensors[target]
        self._check(operator, source, target)
        if x.data is not None and not inner.scales:  # axes, shapes and the like are better known
            self.tensors[target] = dataclasses.replace(inner, data=x.data)
        elif copied or x.data is not None:
            self._copy(operator, source, target)
        else:
            self.operators.append(dataclasses.replace(operator, name=ALIAS, inputs=(source,), outputs=(target,)))

    def _copy(self, operator: Operator, source: int, target: int) -> None:
        self._check(operator, source, target)
        self.operators.append(dataclasses.replace(operator, name=COPY, inputs=(source,), outputs=(target,)))

    def _check(self, operator: Operator, source: int, target: int) -> None:
        a, b = self.tensors[source], self.tensors[target]
        if a.dtype != b.dtype or a.bytes != b.bytes or a.dtype not in DTYPES:
            raise self.graph.refuse(operator, f"cannot hand {a.label} on as {b.label}: type or size differ")

    def _mark(self, operator: Operator, name: str, *inputs: int) -> None:
        for index in inputs:
            condition = self.tensors[index]
            if condition.dtype != "bool" or condition.elements != 1:
                raise self.graph.refuse(operator, f"condition {condition.label} must be one bool")
        self.operators.append(dataclasses.replace(operator, name=name, inputs=inputs, outputs=()))


def _moved(indices: tuple[int, ...], base: int) -> tuple[int, ...]:
    return tuple(index if index == -1 else base + index for index in indices)
