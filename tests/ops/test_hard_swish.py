# SPDX-License-Identifier: Apache-2.0
"""HARD_SWISH of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("HARD_SWISH"), count=30)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((10.0, 0), (0.01, 0), "too far apart"),
        ((1e-9, 0), (1e-9, 0), "too far apart"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("HARD_SWISH", elementwise("HARD_SWISH", x, y), says)
