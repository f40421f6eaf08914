# SPDX-License-Identifier: Apache-2.0
"""FILL by what is computed, ZEROS_LIKE, BROADCAST_ARGS, DYNAMIC_UPDATE_SLICE."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_moves import Part, Shape, case, data, index, ints, kinds, one, packed, shapes
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row


@st.composite
def fills(draw: st.DrawFn) -> Case:
    value = Part((), draw(kinds("int8", "int32")), zero_point=draw(zero_points))
    shape = draw(shapes(most=5))
    dims = ints(*shape, dtype=draw(kinds("int8", "int16", "int32", "int64")))
    return case("FILL", [dims, value], [value._replace(shape=shape)], data(value, draw(seeds)))


@st.composite
def zeros(draw: st.DrawFn) -> Case:
    x = Part(draw(shapes(least=0)), draw(kinds("int8", "int32", "int64")), zero_point=draw(zero_points))
    return case("ZEROS_LIKE", [x], [x], data(x, draw(seeds)))


@st.composite
def common_shapes(draw: st.DrawFn) -> Case:
    """Shapes that go together, of different lengths; an output that is longer or shorter."""
    kind = draw(kinds("int32", "int64"))
    lengths = [draw(st.integers(1, 5)) for _ in range(2)]
    source = random.Random(draw(seeds))
    samples = []
    for _ in range(4):
        wide = [source.choice([1, 2, 3, 77, -1, 0]) for _ in range(max(lengths))]
        if kind == "int64":
            wide[-1] += source.choice([0, 2**40])
        shorter = [[source.choice([1, size]) for size in wide[len(wide) - length :]] for length in lengths]
        samples.append(b"".join(packed(each, kind) for each in shorter))
    inputs = [index((length,), kind) for length in lengths]
    if draw(st.booleans()):
        inputs[0] = ints(*[1] * lengths[0], dtype=kind)
        width = {"int32": 4, "int64": 8}[kind]
        samples = [sample[width * lengths[0] :] for sample in samples]
    count = max(lengths) + draw(st.sampled_from([0, 0, 1, -1]))
    return case("BROADCAST_ARGS", inputs, [index((max(1, count),), kind)], samples)


@st.composite
def updates(draw: st.DrawFn) -> Case:
    """The begin may lie anywhere; each operand is computed or a constant."""
    x = Part(draw(shapes(most=6, size=4)), draw(kinds("int8", "int16", "int32")))
    update = x._replace(shape=tuple(draw(st.integers(1, size)) for size in x.shape))
    place = index((len(x.shape),), draw(kinds("int32", "int64")))
    source = random.Random(draw(seeds))
    far = 2**62 if place.dtype == "int64" else 2**31 - 1
    begins = [[source.choice([0, 1, 2, 3, -1, far, -far]) for _ in x.shape] for _ in range(4)]
    contents: list[list[bytes]] = []
    parts = []
    for part in (x, update):
        fixed = not draw(st.integers(0, 3))
        known = [source.randint(-128, 127) for _ in range(math.prod(part.shape))]
        parts.append(part._replace(values=known) if fixed else part)
        contents.append([b""] * 4 if fixed else list(data(part, source.randrange(99), 0)))
    if draw(st.booleans()) or all(part.values is not None for part in parts):
        contents.append([packed(begin, place.dtype) for begin in begins])
    else:
        place = place._replace(values=begins[0])
    samples = [b"".join(each) for each in zip(*contents, strict=False)]
    return case("DYNAMIC_UPDATE_SLICE", [*parts, place], [x], samples)


ROWS = [
    Row("FILL", "any_shape", fills(), count=20),
    Row("ZEROS_LIKE", "any_shape", zeros(), count=20),
    Row("BROADCAST_ARGS", "what_is_computed", common_shapes()),
    Row("DYNAMIC_UPDATE_SLICE", "anywhere", updates(), count=60),
]


def _fill(dims: Part, value: Part, output: Shape) -> bytes:
    return one("FILL", [dims, value], [Part(output, value.dtype)])


def _zeros(x: Part, output: Shape) -> bytes:
    return one("ZEROS_LIKE", [x], [x._replace(shape=output)])


def _args(first: Part, second: Part, output: Part) -> bytes:
    return one("BROADCAST_ARGS", [first, second], [output])


def _update(update: Part, begin: Part, x: Part | None = None, output: Shape = (3, 4)) -> bytes:
    source = x or Part((3, 4))
    return one("DYNAMIC_UPDATE_SLICE", [source, update, begin], [source._replace(shape=output)])


REFUSALS = [
    Refusal("FILL", _fill(ints(2, 3), Part(()), (3, 2)), "does not follow"),
    Refusal("FILL", _fill(ints(2), Part((1,)), (2,)), "must be a scalar"),
    Refusal("FILL", _fill(index((1,)), Part(()), (2,)), "must be a constant"),
    Refusal("FILL", _fill(ints(2), Part((), "int16"), (2,)), "is int16"),
    Refusal("ZEROS_LIKE", _zeros(Part((2,), "int16"), (2,)), "is int16"),
    Refusal("ZEROS_LIKE", _zeros(Part((2,)), (3,)), "does not follow"),
    Refusal("BROADCAST_ARGS", _args(index((2,), "int16"), index((2,), "int16"), index((2,), "int16")), "is int16"),
    Refusal("BROADCAST_ARGS", _args(index((2,)), index((2,), "int64"), index((2,))), "is int64"),
    Refusal("BROADCAST_ARGS", _args(index((2, 1)), index((2,)), index((2,))), "lists of sizes"),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((4, 1)), index((2,))), "is larger"),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((2,)), index((2,))), "for each of 2 dimensions"),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((2, 2)), index((1,))), "for each of 2 dimensions"),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((2, 2), "int16"), index((2,))), "is int16"),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((2, 2)), index((2,)), output=(4, 3)), "does not follow"),
    Refusal(
        "DYNAMIC_UPDATE_SLICE",
        _update(Part((1, 1), "int64"), index((2,)), Part((3, 4), "int64")),
        "input .* is int64",
    ),
    Refusal("DYNAMIC_UPDATE_SLICE", _update(Part((1,) * 7), index((7,)), Part((1,) * 7), (1,) * 7), "1 to 6"),
]
