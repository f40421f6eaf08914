# SPDX-License-Identifier: Apache-2.0
"""SQUEEZE of all dimensions of one, or of named ones, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.op_cases import Case
from support.op_strategies import assert_refused, bit_exact, only_op, seeds
from support.reshape_cases import between, reshaped


@st.composite
def squeezes(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(st.sampled_from([1, 1, 2, 3, 5]), min_size=2, max_size=5))
    ones = [axis for axis, size in enumerate(shape) if size == 1 and axis > 0]  # something stays
    dropped = sorted(draw(st.sets(st.sampled_from(ones)))) if ones else []
    gone = dropped or [axis for axis, size in enumerate(shape) if size == 1]  # none named: all of them
    kept = [size for axis, size in enumerate(shape) if axis not in gone]
    if not kept:
        dropped, kept = ones, shape[:1]
    signed = [axis - len(shape) if draw(st.booleans()) else axis for axis in dropped]
    return between("SQUEEZE", tuple(shape), tuple(kept), None, draw(seeds), squeezeDims=signed)


test_any_dimensions = bit_exact(squeezes(), count=20)


def test_costs_nothing() -> None:
    op = only_op(reshaped("SQUEEZE", (2, 1, 3), (2, 3), squeezeDims=[1]))
    assert (op.kernel, op.in_place) == ("", True)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (reshaped("SQUEEZE", (2, 1, 3), (2, 2)), "cannot make"),
        (reshaped("SQUEEZE", (2, 1, 3), (2, 1, 3), y=(0.25, 3)), "scale"),
        (reshaped("SQUEEZE", (2, 1, 3), (2, 1, 3), y=(0.5, 4)), "zero point"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("SQUEEZE", tflite, says)
