# SPDX-License-Identifier: Apache-2.0
"""SUB of computed operands, constants and broadcasts, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.binary_cases import broadcast, computed, far_apart, with_constant, with_ones
from support.op_strategies import assert_refused, bit_exact

test_computed = bit_exact(computed("SUB"))
test_constant = bit_exact(with_constant("SUB"))
test_broadcast = bit_exact(broadcast("SUB"), count=25)
test_far_apart = bit_exact(far_apart("SUB"), count=25)

SAME = ((2, 3), (2, 3), (2, 3))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (with_ones("SUB", ((2, 3), (2, 3), (3, 2))), "cannot broadcast"),
        (with_ones("SUB", SAME, dtype="int16"), "int16; supported is int8"),
        (with_ones("SUB", SAME, (3e38, 0), (1.0, 0)), "too far apart"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("SUB", tflite, says)
