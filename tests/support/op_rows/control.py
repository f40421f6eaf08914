# SPDX-License-Identifier: Apache-2.0
"""IF and WHILE around operators that work in place, in each other, with what is made before, inside and after."""

from __future__ import annotations

import itertools
import random
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model, Subgraph

SHAPE, QUANTIZATION = (1, 6), (0.5, 3)
MAX_NESTED = 2


class _Nest:
    """Graphs with two numbers in and two out, some of whose operators are IF and WHILE."""

    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.model = Model()

    def graph(self) -> tuple[Subgraph, int]:
        """A new subgraph and its number."""
        graph = self.model.subgraph()
        return graph, len(self.model.subgraphs) - 1

    def values(self, graph: Subgraph, count: int) -> list[int]:
        return [graph.tensor(SHAPE, *QUANTIZATION) for _ in range(count)]

    def flags(self, graph: Subgraph, count: int) -> list[int]:
        return [graph.tensor((1,), dtype="bool") for _ in range(count)]

    def work(self, graph: Subgraph, values: list[int], flags: list[int], depth: int) -> list[int]:
        """Appends some operators; returns all values."""
        made = list(values)
        for _ in range(self.r.randint(1, 4)):
            kind = self.r.choice(
                ["leaky", "add", "view", "if", "while"] if depth < MAX_NESTED else ["leaky", "add", "view"]
            )
            picked = [self.r.choice(made[-4:]) for _ in range(2)]
            if kind == "if":
                made += self.branch(graph, picked, flags, depth)
            elif kind == "while":
                made += self.loop(graph, picked, flags, depth)
            else:
                (result,) = self.values(graph, 1)
                if kind == "leaky":
                    graph.add("LEAKY_RELU", picked[:1], [result], alpha=0.5)
                elif kind == "add":
                    graph.add("ADD", picked, [result])
                else:
                    graph.add("RESHAPE", picked[:1], [result])
                made.append(result)
        return made

    def branch(self, graph: Subgraph, picked: list[int], flags: list[int], depth: int) -> list[int]:
        """An IF; a constant may go in."""
        numbers = []
        if self.r.random() < 0.3:
            picked = [picked[0], graph.tensor(SHAPE, *QUANTIZATION, [self.r.randrange(-128, 128) for _ in range(6)])]
        for _ in range(2):
            inner, number = self.graph()
            inputs, given = self.values(inner, 2), self.flags(inner, len(flags))
            inner.inputs = [*inputs, *given]
            made = self.work(inner, inputs, given, depth + 1)
            inner.outputs = [self.r.choice(made) for _ in range(2)]
            numbers.append(number)
        outputs = self.values(graph, 2)
        options = {"thenSubgraphIndex": numbers[0], "elseSubgraphIndex": numbers[1]}
        graph.add("IF", [self.r.choice(flags), *picked, *flags], outputs, **options)  # type: ignore[arg-type]
        return outputs

    def loop(self, graph: Subgraph, picked: list[int], flags: list[int], depth: int) -> list[int]:
        """A WHILE that goes on for the first of its flags, and takes the next one in each turn."""
        count = len(flags)
        condition, first = self.graph()
        condition.inputs = [*self.values(condition, 2), *self.flags(condition, count)]
        condition.outputs = [condition.inputs[2]]
        body, second = self.graph()
        inputs, given = self.values(body, 2), self.flags(body, count)
        body.inputs = [*inputs, *given]
        made = self.work(body, inputs, given, depth + 1)
        swapped = [inputs[1], made[-1]] if self.r.random() < 0.5 else [made[-1], self.r.choice(made)]
        body.outputs = [*swapped, *given[1:], body.tensor((1,), values=[0], dtype="bool")]
        outputs = [*self.values(graph, 2), *self.flags(graph, count)]
        options = {"condSubgraphIndex": first, "bodySubgraphIndex": second}
        graph.add("WHILE", [*picked, *flags], outputs, **options)  # type: ignore[arg-type]
        return outputs[:2]


@st.composite
def nests(draw: st.DrawFn, kind: str) -> Case:
    seed = draw(seeds)
    r = random.Random(seed)
    nest = _Nest(r)
    model = nest.model
    flags = [model.input((1,), dtype="bool") for _ in range(3)]
    values = [model.input(SHAPE, *QUANTIZATION) for _ in range(2)]
    made = nest.work(model, values, flags, 1 if draw(st.booleans()) else 0)
    made += getattr(nest, kind)(model, made[-2:], flags, draw(st.sampled_from([1, 1, 2])))
    if r.random() < 0.5:
        made = nest.work(model, made, flags, MAX_NESTED)
    inputs = [bytes(bits) + r.randbytes(12) for bits in itertools.product((0, 1), repeat=3)]
    # A graph gives each of its tensors once.
    return Case(f"{kind} {seed}", model.build(made[-1], made[-2]), tuple(inputs))


def nested(kind: str, seed: int) -> bytes:
    """One such model: three flags and two values in, two values out."""
    nest = _Nest(random.Random(seed))
    flags = [nest.model.input((1,), dtype="bool") for _ in range(3)]
    made = nest.work(nest.model, [nest.model.input(SHAPE, *QUANTIZATION) for _ in range(2)], flags, 1)
    made += getattr(nest, kind)(nest.model, made[-2:], flags, 1)
    made = nest.work(nest.model, made, flags, MAX_NESTED)
    return nest.model.build(made[-1], made[-2])


def spoilt(name: str, **changes: Any) -> bytes:
    """One operator around a subgraph that hands its input on, with something wrong."""
    model = Model()
    flag = model.input((1,), dtype=changes.get("flag", "bool"))
    source = model.input((4,), 0.5)
    target = model.tensor((4,), 0.5)
    inner = model.subgraph()
    inner.inputs = [inner.tensor(changes.get("shape", (4,)), 0.5, dtype=changes.get("dtype", "int8"))]
    inner.outputs = list(inner.inputs)
    if changes.get("nested"):
        again = inner.tensor((4,), 0.5)
        inner.add("WHILE", inner.inputs, [again], condSubgraphIndex=1, bodySubgraphIndex=1)
        inner.outputs = [again]
    number = changes.get("number", 1)
    if name == "IF":
        inputs = [flag, source] + [source] * changes.get("more", 0)
        model.add(name, inputs, [target], thenSubgraphIndex=number, elseSubgraphIndex=number)
    else:
        model.add(name, [source], [target], condSubgraphIndex=number, bodySubgraphIndex=number)
    return model.build(target)


ROWS = [
    Row("IF", "nested", nests("branch"), count=40),
    Row("WHILE", "nested", nests("loop"), count=40),
]
REFUSALS = [
    Refusal("IF", spoilt("IF", flag="int8"), "must be one bool"),
    Refusal("IF", spoilt("IF", number=3), "calls subgraph 3"),
    Refusal("IF", spoilt("IF", number=0), "calls subgraph 0"),
    Refusal("IF", spoilt("IF", number=-1), "calls subgraph -1"),
    Refusal("IF", spoilt("IF", more=1), "do not take or give"),
    Refusal("IF", spoilt("IF", shape=(5,)), "type or size"),
    Refusal("IF", spoilt("IF", dtype="uint8"), "type or size"),
    Refusal("WHILE", spoilt("WHILE"), "must be one bool"),
    Refusal("WHILE", spoilt("WHILE", nested=True), "call themselves"),
]
