# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION and SPLIT, against TFLite Micro."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from op_cases import Case, edge_inputs
from op_strategies import bit_exact, seeds, zero_points
from tflite_builder import Model

from export.lowering import lower
from pipeline.errors import InputFileError
from pipeline.tflite.reader import read_graph


def resized(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


@st.composite
def rearranged(draw: st.DrawFn) -> Case:
    """An input split along one axis and put together along another, constants in between."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    count = draw(st.integers(1, 5))
    split_axis, axis = (draw(st.integers(0, len(shape) - 1)) for _ in range(2))
    signed = [a - len(shape) if draw(st.booleans()) else a for a in (split_axis, axis)]
    q = (0.25, draw(zero_points))
    model = Model()
    source = model.input(resized(shape, split_axis, shape[split_axis] * count), *q)
    parts = [model.tensor(shape, *q) for _ in range(count)]
    model.add(
        "SPLIT", [model.tensor((1,), values=[signed[0]], dtype="int32"), source], parts, "SplitOptions", numSplits=count
    )
    order = draw(st.permutations(parts))
    total = shape[axis] * count
    if draw(st.booleans()):
        size = draw(st.integers(1, 3))
        total += size
        extra = resized(shape, axis, size)
        values = [(31 * i) % 256 - 128 for i in range(math.prod(extra))]
        order = [*order[:1], model.tensor(extra, *q, values=values), *order[1:]]
    target = model.tensor(resized(shape, axis, total), *q)
    model.add("CONCATENATION", order, [target], "ConcatenationOptions", axis=signed[1])
    label = f"{shape} x {count}, split {signed[0]}, joined {signed[1]}, {order}"
    return Case(label, model.build(target), edge_inputs(count * math.prod(shape), draw(seeds), 1))


test_rearranged = bit_exact(rearranged())


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
        model.add("CONCATENATION", [source, active], [tensor], "ConcatenationOptions", axis=3)
    return Case(f"{channels} channels {q}", model.build(tensor), edge_inputs(6 * channels, draw(seeds), 1))


test_uneven = bit_exact(uneven(), programs=1)


def concatenation(
    shapes: list[tuple[int, ...]], output: tuple[int, ...], axis: int = 0, scale: float = 0.5, activation: int = 0
) -> bytes:
    model = Model()
    source = model.input(shapes[0], 0.5)
    others = [model.tensor(shape, scale, values=[1] * math.prod(shape)) for shape in shapes[1:]]
    target = model.tensor(output, 0.5)
    values = {"axis": axis, "fusedActivationFunction": activation}
    model.add("CONCATENATION", [source, *others], [target], "ConcatenationOptions", **values)
    return model.build(target)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (concatenation([(2,), (2,)], (4,), axis=1), "axis 1 does not exist"),
        (concatenation([(2,), (2,)], (5,)), "do not make up"),
        (concatenation([(2, 2), (2,)], (4, 2)), "do not make up"),
        (concatenation([(2,), (2,)], (4,), scale=0.25), "same scale"),
        (concatenation([(2,), (2,)], (4,), activation=1), "fused activation"),
        (concatenation([(1,)] * 11, (11,)), "11 parts"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    with pytest.raises(InputFileError, match=rf"operator 0 \(CONCATENATION\): .*{says}"):
        lower(read_graph(tflite))
