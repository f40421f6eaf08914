# SPDX-License-Identifier: Apache-2.0
"""SPLIT along any axis, all parts used or one, against TFLite Micro."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, seeds, zero_points
from support.rearranged_cases import rearranged, resized
from support.tflite_writer import Model

test_all_parts = bit_exact(rearranged(most=8))


def split(part: tuple[int, ...], count: int, axis: int, chosen: int = 0, zero_point: int = 0, **changes: Any) -> bytes:
    """One of `count` parts. `changes`: the axis that is named, its type, the parts' shapes or scale."""
    model = Model()
    source = model.input(resized(part, axis % len(part), part[axis] * count), 0.5, zero_point)
    operand = model.tensor((1,), values=[changes.get("names", axis)], dtype=changes.get("dtype", "int32"))
    shapes = changes.get("shapes", [part] * count)
    parts = [model.tensor(shape, changes.get("scale", 0.5), zero_point) for shape in shapes]
    model.add("SPLIT", [operand, source], parts, numSplits=len(parts))
    return model.build(parts[chosen])


@st.composite
def one_part(draw: st.DrawFn) -> Case:
    part = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    count = draw(st.integers(1, 6))
    axis, chosen = draw(st.integers(-len(part), len(part) - 1)), draw(st.integers(0, count - 1))
    tflite = split(part, count, axis, chosen, draw(zero_points))
    label = f"SPLIT {part} x {count} along {axis}: part {chosen}"
    return Case(label, tflite, edge_inputs(count * math.prod(part), draw(seeds), 1))


test_one_part = bit_exact(one_part(), count=25)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (split((2, 3), 2, 0, names=2), "axis 2 does not exist"),
        (split((2, 3), 2, 0, shapes=[(2, 3), (1, 3)]), "parts of one shape"),
        (split((2, 3), 2, 0, shapes=[(2, 3)] * 3), "do not make up"),
        (split((2, 3), 2, 0, dtype="int64"), "int32"),
        (split((2, 3), 2, 0, scale=0.25), "scale"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("SPLIT", tflite, says)
