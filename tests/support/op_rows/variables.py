# SPDX-License-Identifier: Apache-2.0
"""Resource variables: several in a model, of several types, read and assigned in any order, with first values of their
own; and the streaming layers, which keep the last rows of what they see."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model, Subgraph

Shape = tuple[int, ...]
FRAMES = 12


def handle(graph: Subgraph, name: str) -> int:
    """The tensor that stands for a variable."""
    found = graph.tensor((), dtype="resource")
    graph.add("VAR_HANDLE", [], [found], container="", sharedName=name)
    return found


def first_value(start: Subgraph, name: str, shape: Shape, values: list[int], dtype: str, zero_point: int) -> None:
    value = start.tensor(shape, 0.5, zero_point, values, dtype)
    start.add("ASSIGN_VARIABLE", [handle(start, name), value], [])


def frames(bytes_: int, seed: int, count: int = FRAMES) -> tuple[bytes, ...]:
    source = random.Random(seed)
    return tuple(source.randbytes(bytes_) for _ in range(count))


def inverted(model: Model, tensor: int, shape: Shape, zero_point: int) -> int:
    """Something that works in place, on int8 or on bytes that only move."""
    result = model.tensor(shape, 0.5, zero_point)
    model.add("LEAKY_RELU", [tensor], [result], alpha=0.5)
    return result


@st.composite
def variables(draw: st.DrawFn) -> Case:
    """Reads and assignments of one to three int8 variables, in any order; each output is a sum of all that was read."""
    shape, zero_point = draw(st.sampled_from([(1, 4), (3,), (1, 2, 4), (1,)])), draw(zero_points)
    size, r = math.prod(shape), random.Random(draw(seeds))
    model = Model()
    start = model.subgraph()
    if draw(st.booleans()):
        model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    values = [model.input(shape, 0.5, zero_point)]
    names = [f"variable {number}" for number in range(draw(st.integers(1, 3)))]
    for name in names[: draw(st.integers(0, len(names)))]:
        first_value(start, name, shape, [r.randrange(-128, 128) for _ in range(size)], "int8", zero_point)
    handles = {name: handle(model, name) for name in names}
    steps = draw(st.lists(st.sampled_from(["read", "assign", "in place", "add", "view"]), min_size=3, max_size=9))
    for step in [*steps, "add"]:
        newest, chosen = values[-1], handles[r.choice(names)]
        if step == "assign":
            model.add("ASSIGN_VARIABLE", [chosen, r.choice(values[-2:])], [])
            continue
        if step == "in place":
            values.append(inverted(model, newest, shape, zero_point))
            continue
        values.append(model.tensor(shape, 0.5, zero_point))
        if step == "read":
            model.add("READ_VARIABLE", [chosen], [values[-1]])
        elif step == "view":
            model.add("RESHAPE", [newest], [values[-1]])
        else:
            model.add("ADD", [newest, r.choice(values[:-1])], [values[-1]])
    for chosen in handles.values():  # TFLite Micro has memory for what is assigned alone
        model.add("ASSIGN_VARIABLE", [chosen, values[-1 - r.randrange(min(3, len(values)))]], [])
    return Case(f"{shape} {names} {steps}", model.build(values[-1]), frames(size, draw(seeds)))


class _Stream:
    """A model of streaming layers under construction; `rows` are the newest ones, `fresh` of them."""

    def __init__(self, channels: int, fresh: int, zero_point: int, r: random.Random) -> None:
        self.channels, self.fresh, self.zero_point, self.r = channels, fresh, zero_point, r
        self.model = Model()
        self.start = self.model.subgraph()
        self.model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
        self.rows = self.model.input((1, fresh, 1, channels), 0.5, zero_point)

    def tensor(self, count: int) -> int:
        return self.model.tensor((1, count, 1, self.channels), 0.5, self.zero_point)

    def part(self, source: int, begin: int, end: int) -> int:
        """Some rows of a tensor."""
        target = self.tensor(end - begin)
        columns = ([0, begin, 0, 0], [1, end, 1, self.channels], [1] * 4)
        places = [self.model.tensor((4,), values=values, dtype="int32") for values in columns]
        self.model.add("STRIDED_SLICE", [source, *places], [target])
        return target

    def variable(self, name: str, kept: int) -> int:
        """The handle of one that keeps so many rows, and mostly begins with random ones."""
        if self.r.random() < 0.8:
            values = [self.r.randrange(-128, 128) for _ in range(kept * self.channels)]
            first_value(self.start, name, (1, kept, 1, self.channels), values, "int8", self.zero_point)
        return handle(self.model, name)

    def read(self, where: int, state: int, *, early: bool, activated: bool) -> None:
        """Reads what was kept, before or after something happens to the new rows."""
        if early:
            self.model.add("READ_VARIABLE", [where], [state])
        if activated:
            self.rows = inverted(self.model, self.rows, (1, self.fresh, 1, self.channels), self.zero_point)
        if not early:
            self.model.add("READ_VARIABLE", [where], [state])

    def join(self, kind: str, state: int, kept: int) -> tuple[int, int, int]:
        """All rows, their number, and those of them that are kept."""
        old = self.part(state, self.fresh, kept) if kind == "window" else state
        total = kept if kind == "window" else kept + self.fresh
        whole = self.tensor(total)
        self.model.add("CONCATENATION", [self.rows, old] if kind == "before" else [old, self.rows], [whole], axis=1)
        begin = {"append": self.fresh, "before": 0, "middle": self.r.randint(0, self.fresh)}
        return whole, total, whole if kind == "window" else self.part(whole, begin[kind], begin[kind] + kept)

    def use(self, whole: int, total: int, *, directly: bool) -> None:
        """Makes new rows of all of them."""
        if directly:
            self.rows = self.part(whole, total - self.fresh, total)
            return
        mixed, part = self.tensor(total), self.part(whole, 0, self.fresh)
        self.model.add("MUL", [whole, whole], [mixed])
        self.rows = self.tensor(self.fresh)
        self.model.add("ADD", [part, self.part(mixed, total - self.fresh, total)], [self.rows])


@st.composite
def streams(draw: st.DrawFn) -> Case:
    """Streaming layers one after the other: rows kept, new rows behind or before them, the last ones kept again."""
    r = random.Random(draw(seeds))
    stream = _Stream(draw(st.sampled_from([1, 2, 3, 4, 8])), draw(st.integers(1, 3)), draw(zero_points), r)
    label = f"{stream.channels} channels, {stream.fresh} new rows"
    for layer in range(draw(st.integers(1, 3))):
        early = draw(st.booleans())  # whether the kept rows are read before the new ones are computed
        kind = draw(st.sampled_from(["append", "window", "before", "middle"]))
        kept = draw(st.integers(1, 5)) + (stream.fresh if kind == "window" else 0)
        where, state = stream.variable(f"layer {layer}", kept), stream.tensor(kept)
        stream.read(where, state, early=early, activated=draw(st.booleans()))
        whole, total, new = stream.join(kind, state, kept)
        directly, at_once = draw(st.booleans()), draw(st.booleans())
        if at_once:
            stream.model.add("ASSIGN_VARIABLE", [where, new], [])
        stream.use(whole, total, directly=directly)
        if not at_once:
            stream.model.add("ASSIGN_VARIABLE", [where, new], [])
        label += f"; {kind} {kept}"
    return Case(label, stream.model.build(stream.rows), frames(stream.fresh * stream.channels, draw(seeds)))


@st.composite
def wide_types(draw: st.DrawFn) -> Case:
    """What was assigned in the frame before, of other types: bytes in, the same bytes out one frame later."""
    dtype = draw(st.sampled_from(["int8", "uint8", "int16", "int32"]))
    shape, size = draw(st.sampled_from([((3,), 3), ((1, 2, 2), 4), ((1,), 1)]))
    model = Model()
    start = model.subgraph()
    scale = 0.5 if dtype in ("int8", "uint8", "int16") and draw(st.booleans()) else None
    if draw(st.booleans()):
        model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    source = model.input(shape, scale, dtype=dtype)
    r = random.Random(draw(seeds))
    value = start.tensor(shape, scale, 0, [r.randrange(0, 128) for _ in range(size)], dtype)
    start.add("ASSIGN_VARIABLE", [handle(start, "state"), value], [])
    where, target = handle(model, "state"), model.tensor(shape, scale, dtype=dtype)
    before = draw(st.booleans())
    if before:
        model.add("READ_VARIABLE", [where], [target])
    model.add("ASSIGN_VARIABLE", [where, source], [])
    if not before:
        model.add("READ_VARIABLE", [where], [target])
    width = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4}[dtype]
    return Case(f"{dtype} {shape}", model.build(target), frames(size * width, draw(seeds), 5))


def lone(name: str) -> bytes:
    """A variable that no VAR_HANDLE names."""
    model = Model()
    model.subgraph()
    source, target = model.input((4,), 0.5), model.tensor((4,), 0.5)
    first = model.tensor((), dtype="resource", variable=True)
    if name == "READ_VARIABLE":
        model.add(name, [first], [target])
    else:
        model.add(name, [first, source], [])
        model.add("RELU", [source], [target])
    model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    return model.build(target)


ROWS = [
    Row("READ_VARIABLE", "any_order", variables(), count=60, programs=2),
    Row("ASSIGN_VARIABLE", "streams", streams(), count=60, programs=2),
    Row("ASSIGN_VARIABLE", "types", wide_types(), count=30),
]
REFUSALS = [
    Refusal("READ_VARIABLE", lone("READ_VARIABLE"), "not named by a VAR_HANDLE"),
    Refusal("ASSIGN_VARIABLE", lone("ASSIGN_VARIABLE"), "not named by a VAR_HANDLE"),
]
