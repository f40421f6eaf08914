# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION of parts of a split input, constants and what was computed, against TFLite Micro."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, seeds, zero_points
from support.rearranged_cases import rearranged
from support.tflite_writer import Model

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
        model.add("CONCATENATION", [source, active], [tensor], axis=3)
    return Case(f"{channels} channels {q}", model.build(tensor), edge_inputs(6 * channels, draw(seeds), 1))


test_uneven = bit_exact(uneven(), count=15)


def concatenation(
    shapes: list[tuple[int, ...]], output: tuple[int, ...], axis: int = 0, scale: float = 0.5, activation: int = 0
) -> bytes:
    model = Model()
    source = model.input(shapes[0], 0.5)
    others = [model.tensor(shape, scale, values=[1] * math.prod(shape)) for shape in shapes[1:]]
    target = model.tensor(output, 0.5)
    values = {"axis": axis, "fusedActivationFunction": activation}
    model.add("CONCATENATION", [source, *others], [target], **values)
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
    assert_refused("CONCATENATION", tflite, says)
