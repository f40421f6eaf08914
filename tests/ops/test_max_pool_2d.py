# SPDX-License-Identifier: Apache-2.0
"""MAX_POOL_2D: any window, stride and padding, against TFLite Micro."""

from __future__ import annotations

from typing import Any

import pytest
from support.op_strategies import assert_refused, bit_exact, only_op
from support.pooling_cases import REFUSED, SAME, VALID, changed, pool, pools

test_any_window = bit_exact(pools("MAX_POOL_2D"))


def test_takes_the_place_of_its_input_only_where_that_is_safe() -> None:
    def in_place(*arguments: Any) -> bool:
        return only_op(pool("MAX_POOL_2D", *arguments)).in_place

    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), VALID)
    assert in_place((1, 8, 8, 4), (2, 2), (1, 1), SAME)
    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), SAME)
    assert not in_place((1, 8, 8, 4), (3, 3), (1, 1), SAME)  # the window reaches back over its answer's place


@pytest.mark.parametrize(("changes", "says"), REFUSED)
def test_refuses(changes: dict[str, Any], says: str) -> None:
    assert_refused("MAX_POOL_2D", changed("MAX_POOL_2D", changes), says)
