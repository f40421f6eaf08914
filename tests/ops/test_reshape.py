# SPDX-License-Identifier: Apache-2.0
"""RESHAPE to any shape, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.op_cases import Case
from support.op_strategies import assert_refused, bit_exact, only_op, seeds
from support.reshape_cases import between, reshaped


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    """The same sizes in another order, neighbours of them merged; -1 for one of them."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    result: list[int] = []
    for size in draw(st.permutations(shape)):
        if result and draw(st.booleans()):
            result[-1] *= size
        else:
            result.append(size)
    operand = list(result)
    if draw(st.booleans()):
        operand[draw(st.integers(0, len(result) - 1))] = -1
    if draw(st.booleans()):
        return between("RESHAPE", tuple(shape), tuple(result), operand, draw(seeds))
    return between("RESHAPE", tuple(shape), tuple(result), None, draw(seeds), newShape=operand)


test_any_shape = bit_exact(reshapes(), count=20)


def test_costs_nothing() -> None:
    op = only_op(reshaped("RESHAPE", (2, 6), (3, 4), [3, 4]))
    assert (op.kernel, op.in_place) == ("", True)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (reshaped("RESHAPE", (2, 3), (2, 2)), "cannot make"),
        (reshaped("RESHAPE", (2, 3), (2, 3), y=(0.25, 3)), "scale"),
        (reshaped("RESHAPE", (2, 3), (2, 3), y=(0.5, 4)), "zero point"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("RESHAPE", tflite, says)
