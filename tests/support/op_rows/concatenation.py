# SPDX-License-Identifier: Apache-2.0
"""SPLIT and CONCATENATION along any axis, constants among the parts."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def resized(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


@st.composite
def rearranged(draw: st.DrawFn, most: int = 5) -> Case:
    """An input split along one axis and put together along another, constants in between."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    count = draw(st.integers(1, most))
    split_axis, axis = (draw(st.integers(0, len(shape) - 1)) for _ in range(2))
    signed = [a - len(shape) if draw(st.booleans()) else a for a in (split_axis, axis)]
    q = (0.25, draw(zero_points))
    model = Model()
    source = model.input(resized(shape, split_axis, shape[split_axis] * count), *q)
    parts = [model.tensor(shape, *q) for _ in range(count)]
    model.add("SPLIT", [model.tensor((1,), values=[signed[0]], dtype="int32"), source], parts, numSplits=count)
    order = draw(st.permutations(parts))
    total = shape[axis] * count
    if draw(st.booleans()):
        size = draw(st.integers(1, 3))
        total += size
        extra = resized(shape, axis, size)
        values = [(31 * i) % 256 - 128 for i in range(math.prod(extra))]
        order = [*order[:1], model.tensor(extra, *q, values=values), *order[1:]]
    target = model.tensor(resized(shape, axis, total), *q)
    model.add("CONCATENATION", order, [target], axis=signed[1])
    label = f"{shape} x {count}, split {signed[0]}, joined {signed[1]}, {order}"
    return Case(label, model.build(target), edge_inputs(count * math.prod(shape), draw(seeds), 1))


@st.composite
def uneven(draw: st.DrawFn) -> Case:
    """The input beside something computed from it, twice: parts of different sizes, of which one stays alive."""
    channels, q = draw(st.integers(1, 5)), (0.25, draw(zero_points))
    model = Model()
    source = tensor = model.input((1, 2, 3, channels), *q)
    total = channels
    for _ in range(2):
        active = model.tensor((1, 2, 3, total), *q)
        model.add("RELU", [tensor], [active])
        total += channels
        tensor = model.tensor((1, 2, 3, total), *q)
        model.add("CONCATENATION", [source, active], [tensor], axis=3)
    return Case(f"{channels} channels {q}", model.build(tensor), edge_inputs(6 * channels, draw(seeds), 1))


@st.composite
def one_part(draw: st.DrawFn) -> Case:
    part = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    count = draw(st.integers(1, 6))
    axis, chosen = draw(st.integers(-len(part), len(part) - 1)), draw(st.integers(0, count - 1))
    tflite = split(part, count, axis, chosen, draw(zero_points))
    label = f"SPLIT {part} x {count} along {axis}: part {chosen}"
    return Case(label, tflite, edge_inputs(count * math.prod(part), draw(seeds), 1))


def split(part: Shape, count: int, axis: int, chosen: int = 0, zero_point: int = 0, **changes: Any) -> bytes:
    """One of `count` parts. `changes`: the axis that is named, its type, the parts' shapes or scale."""
    model = Model()
    source = model.input(resized(part, axis % len(part), part[axis] * count), 0.5, zero_point)
    operand = model.tensor((1,), values=[changes.get("names", axis)], dtype=changes.get("dtype", "int32"))
    shapes = changes.get("shapes", [part] * count)
    parts = [model.tensor(shape, changes.get("scale", 0.5), zero_point) for shape in shapes]
    model.add("SPLIT", [operand, source], parts, numSplits=len(parts))
    return model.build(parts[chosen])


def concatenation(shapes: list[Shape], output: Shape, axis: int = 0, scale: float = 0.5, activation: int = 0) -> bytes:
    model = Model()
    source = model.input(shapes[0], 0.5)
    others = [model.tensor(shape, scale, values=[1] * math.prod(shape)) for shape in shapes[1:]]
    target = model.tensor(output, 0.5)
    values: dict[str, Any] = {"axis": axis, "fusedActivationFunction": activation}
    model.add("CONCATENATION", [source, *others], [target], **values)
    return model.build(target)


ROWS = [
    Row("CONCATENATION", "rearranged", rearranged()),
    Row("CONCATENATION", "uneven", uneven(), count=15),
    Row("SPLIT", "all_parts", rearranged(most=8)),
    Row("SPLIT", "one_part", one_part(), count=25),
]
REFUSALS = [
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), axis=1), "axis 1 does not exist"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (5,)), "do not make up"),
    Refusal("CONCATENATION", concatenation([(2, 2), (2,)], (4, 2)), "do not make up"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), scale=0.25), "same scale"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), activation=1), "fused activation"),
    Refusal("CONCATENATION", concatenation([(1,)] * 11, (11,)), "11 parts"),
    Refusal("SPLIT", split((2, 3), 2, 0, names=2), "axis 2 does not exist"),
    Refusal("SPLIT", split((2, 3), 2, 0, shapes=[(2, 3), (1, 3)]), "parts of one shape"),
    Refusal("SPLIT", split((2, 3), 2, 0, shapes=[(2, 3)] * 3), "do not make up"),
    Refusal("SPLIT", split((2, 3), 2, 0, dtype="int64"), "int32"),
    Refusal("SPLIT", split((2, 3), 2, 0, scale=0.25), "scale"),
]
