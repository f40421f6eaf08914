# SPDX-License-Identifier: Apache-2.0
"""PADV2 of any size on any side with any value, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.op_strategies import assert_refused, bit_exact
from support.pad_cases import pad, pads

test_any_size_and_value = bit_exact(pads("PADV2"))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (pad("PADV2", (2, 2), [(0, 0), (-1, 0)], value=3), "pair of sizes"),
        (pad("PADV2", (2, 2), [(1, 1), (0, 0)], value=3, output=(4, 3)), "does not follow"),
        (pad("PADV2", (2, 2), [(1, 1), (0, 0)], value=3, value_zero_point=5), "scale and zero point"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("PADV2", tflite, says)
