# SPDX-License-Identifier: Apache-2.0
"""RELU6 of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("RELU6"), count=30)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((0.1, 0), (0.2, 0), "differ"),
        ((0.1, 0), (0.1, 1), "differ"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("RELU6", elementwise("RELU6", x, y), says)
