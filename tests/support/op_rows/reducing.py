# SPDX-License-Identifier: Apache-2.0
"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL along any dimensions, kept or dropped."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_rows.binary import typed_inputs, zero_points
from support.op_strategies import Quantization, float32, quantizations, seeds, simple_scales
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]
ONE = (0.5, 0)


def reduction(
    name: str,
    shape: Shape,
    axes: list[int],
    keep: bool = False,
    x: Quantization | tuple[None, int] = ONE,
    y: Quantization | tuple[None, int] = ONE,
    output: Shape | None = None,
    dtype: str = "int8",
    computed_axes: bool = False,
) -> bytes:
    reduced = {axis % len(shape) for axis in axes}
    kept = tuple(1 if i in reduced else n for i, n in enumerate(shape) if keep or i not in reduced)
    model = Model()
    source = model.input(shape, x[0], x[1], dtype=dtype)
    if computed_axes:
        axis = model.input((len(axes),), dtype="int32")
    else:
        axis = model.tensor((len(axes),), values=axes, dtype="int32")
    target = model.tensor(kept if output is None else output, y[0], y[1], dtype=dtype)
    model.add(name, [source, axis], [target], keepDims=keep)
    return model.build(target)


@st.composite
def shapes_and_axes(draw: st.DrawFn) -> tuple[Shape, list[int]]:
    """Up to 8 dimensions; any axes, some of them negative, in any order, one of them twice."""
    rank = draw(st.integers(1, 8))
    shape = tuple(draw(st.lists(st.integers(1, 9 if rank < 4 else 4 if rank < 7 else 3), min_size=rank, max_size=rank)))
    chosen = draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True))
    return shape, [axis - rank if draw(st.booleans()) else axis for axis in chosen] + chosen[: draw(st.integers(0, 1))]


@st.composite
def rescaled(draw: st.DrawFn, name: str, dtype: str) -> Case:
    shape, axes = draw(shapes_and_axes())
    x = (draw(quantizations())[0], draw(zero_points(dtype)))
    count = math.prod(shape[axis] for axis in {axis % len(shape) for axis in axes})
    wide = draw(st.sampled_from([0.03, 0.5, 0.77, 1.0, 1.3, 9.0])) * (count**0.5 if name == "SUM" else 1)
    y = (float32(x[0] * wide), draw(zero_points(dtype)))
    keep = draw(st.booleans())
    label = f"{name} {dtype} {shape} {axes} keep {keep}: {x} -> {y}"
    inputs = typed_inputs([(math.prod(shape), dtype)], draw(seeds))
    return Case(label, reduction(name, shape, axes, keep, x, y, dtype=dtype), inputs, aliased=draw(st.booleans()))


@st.composite
def spatial(draw: st.DrawFn, name: str, dtype: str) -> Case:
    """Height and width of an image, up to some thousand elements."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 50)), draw(st.integers(1, 50)), draw(st.integers(1, 6)))
    x, y = ((draw(quantizations())[0], draw(zero_points(dtype))) for _ in range(2))
    tflite = reduction(name, shape, [1, 2], draw(st.booleans()), x, y, dtype=dtype)
    inputs = typed_inputs([(math.prod(shape), dtype)], draw(seeds))
    return Case(f"{name} {dtype} {shape}: {x} -> {y}", tflite, inputs)


@st.composite
def ties(draw: st.DrawFn, name: str, dtype: str) -> Case:
    """Scales in simple ratios."""
    shape = (16, draw(st.sampled_from([2, 3, 4, 5, 6, 9, 16])), 4)
    x, y = ((scale, draw(zero_points(dtype))) for scale in draw(simple_scales(2)))
    tflite = reduction(name, shape, [1], False, x, y, dtype=dtype)
    return Case(f"{name} {shape}: {x} -> {y}", tflite, typed_inputs([(math.prod(shape), dtype)], draw(seeds)))


@st.composite
def wrapping(draw: st.DrawFn) -> Case:
    """Of so many int16 that their sum may leave 32 bits."""
    shape = (draw(st.integers(66_000, 70_000)), draw(st.integers(1, 2)))
    x, y = ((0.5, draw(zero_points("int16"))) for _ in range(2))
    tflite = reduction("MEAN", shape, [0], False, x, y, dtype="int16")
    return Case(f"MEAN {shape}: {x} -> {y}", tflite, typed_inputs([(math.prod(shape), "int16")], draw(seeds)))


@st.composite
def extremes(draw: st.DrawFn, name: str) -> Case:
    shape, axes = draw(shapes_and_axes())
    x = draw(quantizations())
    keep = draw(st.booleans())
    inputs = edge_inputs(math.prod(shape), draw(seeds), 5)
    tflite = reduction(name, shape, axes, keep, x, x)
    return Case(f"{name} {shape} {axes} keep {keep}: {x}", tflite, inputs, aliased=draw(st.booleans()))


@st.composite
def conjunctions(draw: st.DrawFn) -> Case:
    shape, axes = draw(shapes_and_axes())
    keep = draw(st.booleans())
    count = math.prod(shape)
    source = random.Random(draw(seeds))
    rows = [[1] * count, [0] * count, *([int(source.random() < odds) for _ in range(count)] for odds in (0.5, 0.9))]
    rows.append([source.choice((1, 3, 2, 255)) for _ in range(count)])
    tflite = reduction("REDUCE_ALL", shape, axes, keep, (None, 0), (None, 0), dtype="bool")
    inputs = tuple(bytes(row) for row in rows)
    return Case(f"REDUCE_ALL {shape} {axes} keep {keep}", tflite, inputs, aliased=draw(st.booleans()))


def refused(name: str, shape: Shape, axes: list[int], y_scale: float = 0.5) -> bytes:
    """Over axes that may not exist."""
    output = tuple(n for i, n in enumerate(shape) if i not in axes)
    return reduction(name, shape, axes, False, y=(y_scale, 0), output=output)


ROWS = [
    *(
        Row(name, f"{strategy.__name__}_{dtype}", strategy(name, dtype), count=count)
        for name in ("MEAN", "SUM")
        for dtype in ("int8", "int16")
        for strategy, count in ((rescaled, 40), (ties, 20), (spatial, 15))
    ),
    Row("MEAN", "wrapping_int16", wrapping(), count=3),
    Row("REDUCE_MAX", "any_axes", extremes("REDUCE_MAX")),
    Row("REDUCE_MIN", "any_axes", extremes("REDUCE_MIN")),
    Row("REDUCE_ALL", "any_axes", conjunctions()),
]
REFUSALS = [
    *(
        Refusal(name, tflite, says)
        for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
        for tflite, says in (
            (refused(name, (2, 3), [2]), "do not fit"),
            (reduction(name, (1, 4, 4, 3), [1, 2], True, output=(1, 3)), "does not follow"),
            (reduction(name, (2, 3), [1], computed_axes=True), "must be a constant"),
            (reduction(name, (2, 3), [1], dtype="int32"), "is int32"),
        )
    ),
    *(Refusal(name, refused(name, (2, 3), [1], 1e-9), "rescales") for name in ("MEAN", "SUM")),
    *(Refusal(name, refused(name, (2, 3), [1], 0.25), "changes the scale") for name in ("REDUCE_MAX", "REDUCE_MIN")),
    Refusal("REDUCE_ALL", reduction("REDUCE_ALL", (2, 3), [1]), "is int8"),
]
