# SPDX-License-Identifier: Apache-2.0
"""PAD of any size on any side with the zero point, against TFLite Micro."""

from __future__ import annotations

import pytest
from support.op_strategies import assert_refused, bit_exact
from support.pad_cases import pad, pads

test_any_size = bit_exact(pads("PAD"))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (pad("PAD", (2, 2), [(0, -1), (0, 0)]), "pair of sizes"),
        (pad("PAD", (2, 2), [(1, 1)], output=(4, 2)), "pair of sizes"),
        (pad("PAD", (2, 2), [(1, 1), (0, 0)], output=(4, 3)), "does not follow"),
        (pad("PAD", (2, 2), [(1, 1), (0, 0)], dtype="int64"), "int32"),
        (pad("PAD", (1, 1, 1, 1, 1, 2), [(1, 1)] * 6), "1 to 5 dimensions"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("PAD", tflite, says)
