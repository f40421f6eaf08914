# SPDX-License-Identifier: Apache-2.0
"""SPLIT, SPLIT_V, UNPACK, CONCATENATION and PACK along any axis, constants among the parts."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_moves import Part, Shape, case, data, index, ints, kinds, one, shapes
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model


def resized(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


@st.composite
def rearranged(draw: st.DrawFn, most: int = 5) -> Case:
    """An input split along one axis and put together along another, constants in between."""
    shape = draw(shapes(size=4))
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


def _constant(draw: st.DrawFn, part: Part) -> Part:
    """The same as a constant, in one of three cases."""
    if draw(st.integers(0, 2)):
        return part
    return part._replace(values=[(7 * i) % (2 if part.dtype == "bool" else 100) for i in range(math.prod(part.shape))])


def _samples(inputs: list[Part], seed: int) -> list[bytes]:
    contents = [data(part, seed + number) for number, part in enumerate(inputs) if part.values is None]
    return [b"".join(each) for each in zip(*contents, strict=True)]


@st.composite
def joined(draw: st.DrawFn) -> Case:
    """Parts of any type, each of its own size."""
    shape = draw(shapes(most=6, size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    kind = draw(kinds("int8", "int16", "int32", "int64", "bool"))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=9))
    parts = [_constant(draw, Part(resized(shape, axis, size), kind)) for size in sizes]
    parts.append(Part(shape, kind))
    if kind == "int16":  # nobody compares their scales
        parts = [part._replace(scale=0.25) for part in parts[:1]] + parts[1:]
    y = Part(resized(shape, axis, sum(part.shape[axis] for part in parts)), kind)
    signed = axis - draw(st.sampled_from([0, len(shape)]))
    return case("CONCATENATION", parts, [y], _samples(parts, draw(seeds)), axis=signed)


@st.composite
def packs(draw: st.DrawFn) -> Case:
    shape = draw(shapes(least=0))
    axis = draw(st.integers(0, len(shape)))
    kind = draw(kinds("int8", "int16", "int32", "int64"))
    parts = [_constant(draw, Part(shape, kind)) for _ in range(draw(st.integers(0, 11)))]
    parts.append(Part(shape, kind))
    y = Part((*shape[:axis], len(parts), *shape[axis:]), kind, scale=0.25)
    signed = axis - draw(st.sampled_from([0, len(shape) + 1]))
    return case("PACK", parts, [y], _samples(parts, draw(seeds)), valuesCount=len(parts), axis=signed)


@st.composite
def unpacks(draw: st.DrawFn) -> Case:
    x = Part(draw(shapes(most=5)), draw(kinds("int8", "int16", "int32")))
    axis = draw(st.integers(0, len(x.shape) - 1))
    part = Part((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype, scale=0.25)
    signed = axis - draw(st.sampled_from([0, len(x.shape)]))
    count = x.shape[axis]
    return case("UNPACK", [x], [part] * count, data(x, draw(seeds)), num=count, axis=signed)


@st.composite
def splits(draw: st.DrawFn, name: str) -> Case:
    """Equal parts for SPLIT; of any sizes, which may be computed since nobody reads them, for SPLIT_V."""
    shape, kind = draw(shapes(most=5)), draw(kinds("int8", "int16", "int32"))
    axis = draw(st.integers(0, len(shape) - 1))
    count = draw(st.integers(1, 6))
    sizes = [draw(st.integers(1, 4)) for _ in range(count)] if name == "SPLIT_V" else [shape[axis]] * count
    x = Part(resized(shape, axis, sum(sizes)), kind)
    parts = [Part(resized(shape, axis, size), kind, scale=0.25) for size in sizes]
    signed = ints(axis - draw(st.sampled_from([0, len(shape)])))
    contents = data(x, draw(seeds))
    if name == "SPLIT":
        return case(name, [signed, x], parts, contents, numSplits=count)
    if draw(st.booleans()):
        return case(name, [x, ints(*sizes), signed], parts, contents, numSplits=count)
    samples = [content + bytes(4 * count) for content in contents]
    return case(name, [x, index((count,)), signed], parts, samples, numSplits=count)


@st.composite
def one_part(draw: st.DrawFn) -> Case:
    part = draw(shapes(size=4))
    count = draw(st.integers(1, 6))
    axis, chosen = draw(st.integers(-len(part), len(part) - 1)), draw(st.integers(0, count - 1))
    tflite = split(part, count, axis, chosen, draw(zero_points))
    label = f"SPLIT {part} x {count} along {axis}: part {chosen}"
    return Case(label, tflite, edge_inputs(count * math.prod(part), draw(seeds), 1))


def split(part: Shape, count: int, axis: int, chosen: int = 0, zero_point: int = 0, **changes: Any) -> bytes:
    """One of `count` parts. `changes`: the axis that is named, its type, the data's, the parts' shapes."""
    model = Model()
    kind = changes.get("kind", "int8")
    source = model.input(resized(part, axis % len(part), part[axis] * count), 0.5, zero_point, kind)
    operand = model.tensor((1,), values=[changes.get("names", axis)], dtype=changes.get("dtype", "int32"))
    shapes = changes.get("shapes", [part] * count)
    parts = [model.tensor(shape, 0.5, zero_point, dtype=kind) for shape in shapes]
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
    Row("CONCATENATION", "any_type", joined()),
    Row("PACK", "any_axis", packs()),
    Row("SPLIT", "all_parts", rearranged(most=8)),
    Row("SPLIT", "one_part", one_part(), count=25),
    Row("SPLIT", "any_type", splits("SPLIT")),
    Row("SPLIT_V", "any_sizes", splits("SPLIT_V")),
    Row("UNPACK", "any_axis", unpacks()),
]


def _pack(shapes: list[Shape], output: Shape, axis: int = 0, kind: str = "int8") -> bytes:
    parts = [Part(shape, kind) for shape in shapes]
    return one("PACK", parts, [Part(output, kind)], axis=axis, valuesCount=len(shapes))


def _unpack(shape: Shape, outputs: list[Shape], axis: int = 0, count: int | None = None, kind: str = "int8") -> bytes:
    number = len(outputs) if count is None else count
    return one("UNPACK", [Part(shape, kind)], [Part(each, kind) for each in outputs], axis=axis, num=number)


def _split_v(axis: Part, outputs: list[Shape], kind: str = "int8") -> bytes:
    return one("SPLIT_V", [Part((2, 5), kind), ints(2, 3), axis], [Part(each, kind) for each in outputs])


REFUSALS = [
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), axis=1), "axis 1 does not exist"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (5,)), "do not make up"),
    Refusal("CONCATENATION", concatenation([(2, 2), (2,)], (4, 2)), "do not make up"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), scale=0.25), "same scale"),
    Refusal("CONCATENATION", concatenation([(2,), (2,)], (4,), activation=1), "fused activation"),
    Refusal("CONCATENATION", concatenation([(1,)] * 11, (11,)), "11 parts"),
    Refusal("CONCATENATION", one("CONCATENATION", [Part((2,), "uint8")], [Part((2,), "uint8")]), "is uint8"),
    Refusal(
        "CONCATENATION",
        one("CONCATENATION", [Part((2,), "int16", zero_point=1)], [Part((2,), "int16", zero_point=1)]),
        "int16 must have none",
    ),
    Refusal("CONCATENATION", concatenation([(1,) * 7, (1,) * 7], (2, *(1,) * 6)), "1 to 6 dimensions"),
    Refusal("PACK", _pack([(2,), (2,)], (2, 2), axis=2), "axis 2 does not exist"),
    Refusal("PACK", _pack([(2,), (2,)], (3, 2)), "2 are named"),
    Refusal("PACK", _pack([(2,), (3,)], (2, 2)), "part .3. does not follow"),
    Refusal("PACK", _pack([(2,), (2,)], (2, 2), kind="bool"), "is bool"),
    Refusal("SPLIT", split((2, 3), 2, 0, names=2), "axis 2 does not exist"),
    Refusal("SPLIT", split((2, 3), 2, 0, shapes=[(2, 3), (1, 3)]), "parts of one shape"),
    Refusal("SPLIT", split((2, 3), 2, 0, shapes=[(2, 3)] * 3), "do not make up"),
    Refusal("SPLIT", split((2, 3), 2, 0, dtype="int64"), "int32"),
    Refusal("SPLIT", split((2, 3), 2, 0, kind="int64"), "input .* is int64"),
    Refusal("SPLIT", one("SPLIT", [index((1,)), Part((2, 2))], [Part((1, 2))] * 2), "must be a constant"),
    Refusal("SPLIT_V", _split_v(ints(2), [(2, 2), (2, 3)]), "axis 2 does not exist"),
    Refusal("SPLIT_V", _split_v(ints(1), [(2, 2), (2, 2)]), "do not make up"),
    Refusal("SPLIT_V", _split_v(ints(1, 1), [(2, 2), (2, 3)]), "one axis"),
    Refusal("SPLIT_V", _split_v(index((1,)), [(2, 2), (2, 3)]), "must be a constant"),
    Refusal("SPLIT_V", _split_v(ints(1), [(2, 2), (2, 3)], "bool"), "is bool"),
    Refusal("UNPACK", _unpack((2, 3), [(3,)] * 3, axis=0), "has its own number"),
    Refusal("UNPACK", _unpack((2, 3), [(3,)] * 2, count=3), "3 are named"),
    Refusal("UNPACK", _unpack((2, 3), [(3,), (2,)]), "part .2. does not follow"),
    Refusal("UNPACK", _unpack((2, 3), [(3,)] * 2, axis=-3), "axis -3 does not exist"),
    Refusal("UNPACK", _unpack((2, 3), [(3,)] * 2, kind="int64"), "is int64"),
]
