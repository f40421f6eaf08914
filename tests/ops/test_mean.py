# SPDX-License-Identifier: Apache-2.0
"""MEAN over neighbouring dimensions, kept or dropped, against TFLite Micro."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import bit_exact, scales, seeds, zero_points
from support.tflite_writer import Model

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower


def mean(
    shape: tuple[int, ...],
    axes: list[int],
    keep: bool,
    x: tuple[float, int] = (0.5, 0),
    y: tuple[float, int] = (0.5, 0),
    output: tuple[int, ...] | None = None,
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
    x = (draw(scales(1e-2, 1.0)), draw(zero_points))
    y = (x[0] * draw(st.sampled_from([0.03, 0.5, 0.77, 1.0, 1.3, 9.0])), draw(zero_points))
    keep = draw(st.booleans())
    tflite = mean(shape, axes, keep, x, y)
    label = f"MEAN {shape} {axes} keep {keep}: {x} -> {y}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), 5), aliased=draw(st.booleans()))


test_mean = bit_exact(means())


@st.composite
def spatial(draw: st.DrawFn) -> Case:
    """Height and width of an image, up to some thousand elements."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 50)), draw(st.integers(1, 50)), draw(st.integers(1, 6)))
    x, y = (draw(scales(1e-2, 1.0)), draw(zero_points)), (draw(scales(1e-2, 1.0)), draw(zero_points))
    tflite = mean(shape, [1, 2], draw(st.booleans()), x, y)
    return Case(f"MEAN {shape}: {x} -> {y}", tflite, edge_inputs(math.prod(shape), draw(seeds)))


test_mean_of_images = bit_exact(spatial(), count=20, programs=1)


@pytest.mark.parametrize(
    ("shape", "axes", "scale", "says"),
    [
        ((2, 3, 4), [0, 2], 0.5, "no neighbours"),
        ((2, 3), [2], 0.5, "do not fit"),
        ((2, 3), [1], 1e-9, "rescales"),
        ((1, 3000, 2000), [1, 2], 0.5, "averages 6,000,000"),
    ],
)
def test_refuses(shape: tuple[int, ...], axes: list[int], scale: float, says: str) -> None:
    output = tuple(n for i, n in enumerate(shape) if i not in axes)
    with pytest.raises(InputFileError, match=rf"operator 0 \(MEAN\): .*{says}"):
        lower(read_graph(mean(shape, axes, False, y=(scale, 0), output=output)))


def test_refuses_an_output_of_another_shape() -> None:
    with pytest.raises(InputFileError, match="does not follow"):
        lower(read_graph(mean((1, 4, 4, 3), [1, 2], True, output=(1, 3))))
