# SPDX-License-Identifier: Apache-2.0
"""EXPAND_DIMS at any place, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.op_cases import Case
from support.op_strategies import assert_refused, bit_exact, only_op, seeds
from support.reshape_cases import between, reshaped


@st.composite
def expansions(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    place = draw(st.integers(0, len(shape)))
    axis = place - len(shape) - 1 if draw(st.booleans()) else place
    return between("EXPAND_DIMS", shape, (*shape[:place], 1, *shape[place:]), [axis], draw(seeds))


test_any_place = bit_exact(expansions(), count=20)


def test_costs_nothing() -> None:
    op = only_op(reshaped("EXPAND_DIMS", (2, 3), (2, 1, 3), [1]))
    assert (op.kernel, op.in_place) == ("", True)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (reshaped("EXPAND_DIMS", (2, 3), (2, 1, 2)), "cannot make"),
        (reshaped("EXPAND_DIMS", (2, 3), (2, 3), y=(0.25, 3)), "scale"),
        (reshaped("EXPAND_DIMS", (2, 3), (2, 3), y=(0.5, 4)), "zero point"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("EXPAND_DIMS", tflite, says)
