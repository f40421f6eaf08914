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


@st.composite
def streams(draw: st.DrawFn) -> Case:
    """Streaming layers one after the other: rows kept, new rows behind or before them, the last ones kept again."""
    channels, zero_point = draw(st.sampled_from([1, 2, 3, 4, 8])), draw(zero_points)
    r = random.Random(draw(seeds))
    fresh = draw(st.integers(1, 3))
    model = Model()
    start = model.subgraph()
    model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    rows = model.input((1, fresh, 1, channels), 0.5, zero_point)
    label = f"{channels} channels, {fresh} new rows"

    def tensor(count: int) -> int:
        return model.tensor((1, count, 1, channels), 0.5, zero_point)

    def rows_of(source: int, begin: int, end: int) -> int:
        target = tensor(end - begin)
        places = [model.tensor((4,), values=v, dtype="int32") for v in ([0, begin, 0, 0], [1, end, 1, channels])]
        model.add("STRIDED_SLICE", [source, *places, model.tensor((4,), values=[1] * 4, dtype="int32")], [target])
        return target

    for layer in range(draw(st.integers(1, 3))):
        early = draw(st.booleans())  # whether the kept rows are read before the new ones are computed
        kind = draw(st.sampled_from(["append", "window", "before", "middle"]))
        kept = draw(st.integers(1, 5)) + (fresh if kind == "window" else 0)
        name = f"layer {layer}"
        if r.random() < 0.8:
            values = [r.randrange(-128, 128) for _ in range(kept * channels)]
            first_value(start, name, (1, kept, 1, channels), values, "int8", zero_point)
        where, state = handle(model, name), tensor(kept)
        if early:
            model.add("READ_VARIABLE", [where], [state])
        if draw(st.booleans()):
            rows = inverted(model, rows, (1, fresh, 1, channels), zero_point)
        if not early:
            model.add("READ_VARIABLE", [where], [state])
        old = rows_of(state, fresh, kept) if kind == "window" else state
        total = kept if kind == "window" else kept + fresh
        whole = tensor(total)
        model.add("CONCATENATION", [rows, old] if kind == "before" else [old, rows], [whole], axis=1)
        begin = {"append": fresh, "window": 0, "before": 0, "middle": r.randint(0, fresh)}[kind]
        new = whole if kind == "window" else rows_of(whole, begin, begin + kept)
        assign_early = draw(st.booleans())
        if assign_early:
            model.add("ASSIGN_VARIABLE", [where, new], [])
        if draw(st.booleans()):
            rows = rows_of(whole, total - fresh, total)
        else:
            mixed, part = tensor(total), rows_of(whole, 0, fresh)
            model.add("MUL", [whole, whole], [mixed])
            rows = tensor(fresh)
            model.add("ADD", [part, rows_of(mixed, total - fresh, total)], [rows])
        if not assign_early:
            model.add("ASSIGN_VARIABLE", [where, new], [])
        label += f"; {kind} {kept}"
    return Case(label, model.build(rows), frames(fresh * channels, draw(seeds)))


@st.composite
def wide_types(draw: st.DrawFn) -> Case:
    """What was assigned in the frame before, of other types: bytes in, the same bytes out one frame later."""
    dtype = draw(st.sampled_from(["int8", "uint8", "int16", "int32"]))
    shape, size = draw(st.sampled_from([((3,), 3), ((1, 2, 2), 4), ((1,), 1)]))
    model = Model()
    start = model.subgraph()
    quantization = (0.5, 0) if dtype in ("int8", "uint8", "int16") and draw(st.booleans()) else (None, 0)
    if draw(st.booleans()):
        model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    source = model.input(shape, *quantization, dtype=dtype)
    r = random.Random(draw(seeds))
    value = start.tensor(shape, *quantization, [r.randrange(0, 128) for _ in range(size)], dtype)
    start.add("ASSIGN_VARIABLE", [handle(start, "state"), value], [])
    where, target = handle(model, "state"), model.tensor(shape, *quantization, dtype=dtype)
    before = draw(st.booleans())
    if before:
        model.add("READ_VARIABLE", [where], [target])
    model.add("ASSIGN_VARIABLE", [where, source], [])
    if not before:
        model.add("READ_VARIABLE", [where], [target])
    width = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4}[dtype]
    return Case(f"{dtype} {shape}", model.build(target), frames(size * width, draw(seeds), 5))


def lone(name: str, dtype: str = "int8", other: Shape = (4,)) -> bytes:
    """A variable that is read alone, or whose value changes its size or type."""
    model = Model()
    source, target = model.input((4,), 0.5), model.tensor(other, 0.5, dtype=dtype)
    operators = {"READ_VARIABLE": ([], [target]), "ASSIGN_VARIABLE": ([source], [])}
    if name == "READ_VARIABLE":
        first = model.tensor((), dtype="resource")
        model.add(name, [first, *operators[name][0]], operators[name][1])
        model.tensors[first].isVariable = True
    else:
        first = model.tensor((), dtype="resource")
        model.tensors[first].isVariable = True
        model.add(name, [first, source], [])
        model.add("RELU", [source], [target])
    model.add("CALL_ONCE", [], [], initSubgraphIndex=0)
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
