# SPDX-License-Identifier: Apache-2.0
"""The pools' division without dividing, and what MAX_POOL_2D promises the memory plan."""

from __future__ import annotations

from typing import Any

from support.op_rows.pooling import SAME, VALID, pool
from support.op_table import only_op

from tinyproof.export.ops.pooling import reciprocal


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


def test_takes_the_place_of_its_input_only_where_that_is_safe() -> None:
    def in_place(*arguments: Any) -> bool:
        return only_op(pool("MAX_POOL_2D", *arguments)).in_place

    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), VALID)
    assert in_place((1, 8, 8, 4), (2, 2), (1, 1), SAME)
    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), SAME)
    assert not in_place((1, 8, 8, 4), (3, 3), (1, 1), SAME)  # the window reaches back over its answer's place
