# SPDX-License-Identifier: Apache-2.0
"""The pools' division without dividing, and what MAX_POOL_2D promises the memory plan."""

from __future__ import annotations

from typing import Any

import pytest
from support.op_rows.pooling import SAME, VALID, pool
from support.op_table import only_op

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.export.ops.pooling import MAX_AVERAGED, reciprocal


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_reciprocals_divide_exactly(dtype: str) -> None:
    """Around multiples, where an error of one shows, for all counts of small windows and some large ones."""
    most = 1 - DTYPES[dtype].low  # an average, and half a count more
    large = (4095, 4096, 4097, 32_765, 32_766, 40_961, 65_535, 65_536)
    quotients = sorted({*range(min(most, 130)), *range(0, most, 517), *range(most - 9, most + 1)})
    for count in (*range(1, 700), *(count for count in large if count <= MAX_AVERAGED[dtype])):
        number, shift = reciprocal(count)
        assert number < 2**32
        for quotient in quotients:
            for m in (quotient * count - 1, quotient * count, quotient * count + count // 2):
                if 0 <= m <= most * count:
                    assert (m * number >> 31) < 2**32
                    assert (m * number >> 31) >> shift == m // count


def test_takes_the_place_of_its_input_only_where_that_is_safe() -> None:
    def in_place(*arguments: Any) -> bool:
        return only_op(pool("MAX_POOL_2D", *arguments)).in_place

    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), VALID)
    assert in_place((1, 8, 8, 4), (2, 2), (1, 1), SAME)
    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), SAME)
    assert not in_place((1, 8, 8, 4), (3, 3), (1, 1), SAME)  # the window reaches back over its answer's place
