# SPDX-License-Identifier: Apache-2.0
"""TANH of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("TANH"), count=30)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((0.1, 0), (1 / 256, 0), "scale"),
        ((0.1, 0), (1 / 128, 1), "zero point"),
        ((1e-9, 0), (1 / 128, 0), "2\\^-27"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("TANH", elementwise("TANH", x, y), says)
