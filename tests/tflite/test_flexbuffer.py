# SPDX-License-Identifier: Apache-2.0
"""Options of custom operators: numbers where they are, None for whatever else the bytes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.op_rows.circular_buffer import map_options, vector_options

from tinyproof.core.tflite.flexbuffer import element


def test_reads_what_vectors_and_maps_begin_with() -> None:
    assert [element(options(7), 0) for options in (vector_options, map_options)] == [7, 7]
    assert element(vector_options(255), 0) == -1
    assert element(vector_options(7), 1) is None


@given(st.binary(max_size=40), st.integers(-2, 5))
def test_any_bytes_are_a_number_or_none(data: bytes, place: int) -> None:
    found = element(data, place)
    assert found is None or -(2**63) <= found < 2**63
