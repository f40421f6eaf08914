# SPDX-License-Identifier: Apache-2.0
"""MUL of computed operands, constants and broadcasts, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.binary_cases import broadcast, computed, far_apart, with_constant, with_ones
from support.op_strategies import assert_refused, bit_exact

test_computed = bit_exact(computed("MUL"))
test_constant = bit_exact(with_constant("MUL"))
test_broadcast = bit_exact(broadcast("MUL"), count=25)
test_far_apart = bit_exact(far_apart("MUL"), count=25)

SAME = ((2, 3), (2, 3), (2, 3))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (with_ones("MUL", ((2, 3), (2, 3), (1, 3))), "cannot broadcast"),
        (with_ones("MUL", ((2, 2, 2, 2, 2), (1, 2, 1, 2, 1), (2, 2, 2, 2, 2))), "loops"),
        (with_ones("MUL", SAME, (1e4, 0), (1e-3, 0)), "rescales"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("MUL", tflite, says)
