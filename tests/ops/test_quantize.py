# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("QUANTIZE"), count=30)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((1e10, 0), (1e-3, 0), "rescales"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("QUANTIZE", elementwise("QUANTIZE", x, y), says)
