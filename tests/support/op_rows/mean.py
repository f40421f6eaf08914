# SPDX-License-Identifier: Apache-2.0
"""MEAN over neighbouring dimensions, kept or dropped."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, quantizations, seeds, simple_scales, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def mean(
    shape: Shape,
    axes: list[int],
    keep: bool,
    x: Quantization = (0.5, 0),
    y: Quantization = (0.5, 0),
    output: Shape | None = None,
) -> bytes:
    reduced = {axis % len(shape) for axis in axes}
    kept = tuple(1 if i in reduced else n for i, n in enumerate(shape) if keep or i not in reduced)
    model = Model()
    source = model.input(shape, *x)
    axis = model.tensor((len(axes),), values=axes, dtype="int32")
    target = model.tensor(kept if output is None else output, *y)
    model.add("MEAN", [source, axis], [target], keepDims=keep)
    return model.build(target)


@st.composite
def means(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    first = draw(st.integers(0, len(shape) - 1))
    axes = list(range(first, draw(st.integers(first, len(shape) - 1)) + 1))
    if draw(st.booleans()):
        axes = [axis - len(shape) for axis in reversed(axes)] + axes[:1]  # negative, unordered, one twice
    x = draw(quantizations())
    y = (x[0] * draw(st.sampled_from([0.03, 0.5, 0.77, 1.0, 1.3, 9.0])), draw(zero_points))
    keep = draw(st.booleans())
    tflite = mean(shape, axes, keep, x, y)
    label = f"MEAN {shape} {axes} keep {keep}: {x} -> {y}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), 5), aliased=draw(st.booleans()))


@st.composite
def spatial(draw: st.DrawFn) -> Case:
    """Height and width of an image, up to some thousand elements."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 50)), draw(st.integers(1, 50)), draw(st.integers(1, 6)))
    x, y = draw(quantizations()), draw(quantizations())
    tflite = mean(shape, [1, 2], draw(st.booleans()), x, y)
    return Case(f"MEAN {shape}: {x} -> {y}", tflite, edge_inputs(math.prod(shape), draw(seeds)))


@st.composite
def ties(draw: st.DrawFn) -> Case:
    """Scales in simple ratios."""
    shape = (16, draw(st.sampled_from([2, 3, 4, 5, 6, 9, 16])), 4)
    x, y = ((scale, draw(zero_points)) for scale in draw(simple_scales(2)))
    return Case(f"MEAN {shape}: {x} -> {y}", mean(shape, [1], False, x, y), edge_inputs(math.prod(shape), draw(seeds)))


def refused(shape: Shape, axes: list[int], y_scale: float = 0.5) -> bytes:
    """Over axes that may not exist."""
    output = tuple(n for i, n in enumerate(shape) if i not in axes)
    return mean(shape, axes, False, y=(y_scale, 0), output=output)


ROWS = [
    Row("MEAN", "any_axes", means()),
    Row("MEAN", "ties", ties(), count=25),
    Row("MEAN", "of_images", spatial(), count=20),
]
REFUSALS = [
    Refusal("MEAN", refused((2, 3, 4), [0, 2]), "no neighbours"),
    Refusal("MEAN", refused((2, 3), [2]), "do not fit"),
    Refusal("MEAN", refused((2, 3), [1], 1e-9), "rescales"),
    Refusal("MEAN", refused((1, 3000, 2000), [1, 2]), "averages 6,000,000"),
    Refusal("MEAN", mean((1, 4, 4, 3), [1, 2], True, output=(1, 3)), "does not follow"),
]
