# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX at every place of its tables, and where they end."""

from __future__ import annotations

import struct

import pytest
from support.op_cases import Case, assert_bit_exact, run_natively
from support.op_rows.softmax import INT16, WIDE, along_rows, softmax


def test_every_distance_to_the_maximum() -> None:
    """Two elements, all 256 distances, three scales."""
    inputs = tuple(bytes([127, q & 0xFF]) for q in range(-128, 128))
    scales = (0.005, 0.0471, 0.9)
    assert_bit_exact([Case(f"scale {scale}", softmax((1, 2), (scale, 0)), inputs) for scale in scales])


@pytest.mark.nightly
def test_every_place_of_the_tables_of_int16() -> None:
    """Pairs, all 65,536 distances, each a place of its own, and every sum that is looked up."""
    tflite = along_rows("SOFTMAX", (1 << 16, 2), (10 / 65535, 0), WIDE, INT16, beta=1.0)
    pairs = (value for low in range(-32768, 32768) for value in (32767, low))
    assert_bit_exact([Case("all distances", tflite, (struct.pack("<131072h", *pairs),))])


def test_many_equal_elements_answer_nothing() -> None:
    """TFLM aborts where over 512 elements equal the maximum; here each probability below 1/512 is 0."""
    case = Case("1024 equal", softmax((1, 1024), (0.1, 0)), (bytes(1024),))
    assert run_natively([case]) == [[b"\x80" * 1024]]
