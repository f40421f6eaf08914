# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE by any permutation, against TFLite Micro."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, only_op, seeds, zero_points
from support.tflite_writer import Model


def transpose(shape: tuple[int, ...], permutation: list[int], zero_point: int = 0, **changes: Any) -> bytes:
    model = Model()
    source = model.input(shape, 0.5, zero_point)
    operand = model.tensor((len(permutation),), values=permutation, dtype="int32")
    result = changes.get("output") or tuple(shape[axis] for axis in permutation)
    target = model.tensor(result, changes.get("scale", 0.5), zero_point)
    model.add("TRANSPOSE", [source, operand], [target])
    return model.build(target)


@st.composite
def transposes(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=5)))
    permutation = draw(st.permutations(range(len(shape))))
    tflite = transpose(shape, permutation, draw(zero_points))
    return Case(f"TRANSPOSE {shape} {permutation}", tflite, edge_inputs(math.prod(shape), draw(seeds), 1))


test_any_permutation = bit_exact(transposes(), count=60)


def test_moving_dimensions_of_one_costs_nothing() -> None:
    op = only_op(transpose((1, 4, 1, 3), [1, 0, 3, 2]))
    assert (op.kernel, op.in_place) == ("", True)
    op = only_op(transpose((1, 4, 1, 3), [3, 0, 1, 2]))
    assert (op.kernel, op.in_place) == ("strided_s8", False)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (transpose((2, 3), [0, 0], output=(2, 2)), "no permutation"),
        (transpose((2, 3), [0, -1], output=(2, 3)), "no permutation"),
        (transpose((2, 3), [1, 0], output=(2, 3)), "does not follow"),
        (transpose((2, 3), [1, 0], scale=0.25), "scale"),
        (transpose((1, 1, 1, 1, 2, 3), [0, 1, 2, 3, 5, 4]), "1 to 5 dimensions"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("TRANSPOSE", tflite, says)
