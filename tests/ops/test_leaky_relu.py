# SPDX-License-Identifier: Apache-2.0
"""LEAKY_RELU of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.lookup_cases import elementwise, lookups
from support.op_strategies import assert_refused, bit_exact

test_all_inputs = bit_exact(lookups("LEAKY_RELU"), count=30)


@pytest.mark.parametrize(
    ("alpha", "says"),
    [(-0.5, "alpha"), (float("nan"), "alpha"), (float("inf"), "alpha"), (1e30, "rescales")],
)
def test_refuses(alpha: float, says: str) -> None:
    tflite = elementwise("LEAKY_RELU", (0.1, 0), (0.2, 0), alpha=alpha)
    assert_refused("LEAKY_RELU", tflite, says)
