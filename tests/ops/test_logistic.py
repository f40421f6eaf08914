# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("LOGISTIC"), count=30)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((0.1, 0), (1 / 128, -128), "scale"),
        ((0.1, 0), (1 / 256, 0), "zero point"),
        ((1e-9, 0), (1 / 256, -128), "2\\^-27"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("LOGISTIC", elementwise("LOGISTIC", x, y), says)
