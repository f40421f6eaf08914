# SPDX-License-Identifier: Apache-2.0
"""Options of custom operators: numbers where they are, None for whatever else the bytes are."""

from __future__ import annotations

import random

import pytest
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st
from support.op_rows.circular_buffer import map_options, vector_options

from tinyproof.core.tflite.flexbuffer import element, read_map

MAPS = [
    {},
    {"shift": 12},
    {"T": 7, "fft_length": 512},
    {"a": -(2**31), "b": 2**31 - 1, "clamping": True, "off": False},
    {"far": 2**40, "near": -1},
]


def test_reads_what_vectors_and_maps_begin_with() -> None:
    assert [element(options(7), 0) for options in (vector_options, map_options)] == [7, 7]
    assert element(vector_options(255), 0) == -1
    assert element(vector_options(7), 1) is None


@given(st.binary(max_size=40), st.integers(-2, 5))
def test_any_bytes_are_a_number_or_none(data: bytes, place: int) -> None:
    found = element(data, place)
    assert found is None or -(2**63) <= found < 2**63


@pytest.mark.parametrize("options", MAPS, ids=str)
def test_reads_what_a_writer_makes(options: dict[str, int]) -> None:
    assert read_map(bytes(flexbuffers.Dumps(options))) == options


def test_reads_unsigned_numbers_as_tflite_micro_does() -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("x")
        builder.UInt(200)
    assert read_map(bytes(builder.Finish())) == {"x": -56}


@pytest.mark.parametrize("value", [1.5, "text", [1, 2], {"x": 1}, None], ids=str)
def test_refuses_other_members(value: object) -> None:
    with pytest.raises(ValueError, match="they hold more than integers"):
        read_map(bytes(flexbuffers.Dumps({"value": value})))


@pytest.mark.parametrize("content", [b"", b"\0", bytes(flexbuffers.Dumps([1, 2])), bytes(flexbuffers.Dumps(7))])
def test_refuses_what_is_no_map(content: bytes) -> None:
    with pytest.raises(ValueError, match="they "):
        read_map(content)


def test_damage_is_harmless() -> None:
    r = random.Random(1)
    for number in range(20_000):
        content = bytearray(flexbuffers.Dumps(MAPS[number % len(MAPS)]))
        for _ in range(r.randint(1, 3)):
            content[r.randrange(len(content))] = r.choice([0, 1, 0x7F, 0x80, 0xFF, r.getrandbits(8)])
        damaged = bytes(content[: r.choice([len(content), r.randrange(len(content) + 1)])])
        try:
            found = read_map(damaged)
        except ValueError:
            continue
        assert all(isinstance(name, str) and isinstance(value, int) for name, value in found.items())
