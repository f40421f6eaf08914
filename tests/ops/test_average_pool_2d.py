# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D: any window, stride and padding, against TFLite Micro."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, seeds
from support.pooling_cases import REFUSED, VALID, changed, pool, pools

from tinyproof.export.ops.pooling import reciprocal

test_any_window = bit_exact(pools("AVERAGE_POOL_2D"))


@st.composite
def global_pools(draw: st.DrawFn) -> Case:
    """One window over everything, up to some thousand elements."""
    shape = (1, draw(st.integers(1, 60)), draw(st.integers(1, 60)), draw(st.integers(1, 3)))
    tflite = pool("AVERAGE_POOL_2D", shape, shape[1:3], (1, 1), VALID)
    return Case(f"global {shape}", tflite, edge_inputs(math.prod(shape), draw(seeds)))


test_global_average = bit_exact(global_pools(), count=20)


def test_reciprocals_divide_exactly() -> None:
    """Around every multiple, where an error of one shows, for all counts of small windows and some large ones."""
    for count in (*range(1, 700), 4095, 4096, 4097, 40_961, 65_535, 65_536):
        number, shift = reciprocal(count)
        assert number < 2**32
        for quotient in range(130):
            for m in (quotient * count - 1, quotient * count, quotient * count + count // 2):
                if 0 <= m <= 129 * count:
                    assert (m * number >> 31) < 2**32
                    assert (m * number >> 31) >> shift == m // count


@pytest.mark.parametrize(("changes", "says"), REFUSED)
def test_refuses(changes: dict[str, Any], says: str) -> None:
    assert_refused("AVERAGE_POOL_2D", changed("AVERAGE_POOL_2D", changes), says)
