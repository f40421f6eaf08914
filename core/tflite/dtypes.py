# SPDX-License-Identifier: Apache-2.0
"""The element types that tinyproof computes with: sizes, ranges, and what C and Python call them."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class DType:
    """`low` and `high` bound an element. `letter` is the struct module's, "" for int4, two of which share a byte."""

    name: str
    bits: int
    low: int
    high: int
    c_type: str
    letter: str

    def bytes_of(self, elements: int) -> int:
        """What so many elements take in memory."""
        return -(-elements * self.bits // 8)


def _signed(name: str, bits: int, c_type: str, letter: str) -> DType:
    return DType(name, bits, -(1 << (bits - 1)), (1 << (bits - 1)) - 1, c_type, letter)


DTYPES = {
    dtype.name: dtype
    for dtype in (
        _signed("int4", 4, "int8_t", ""),
        _signed("int8", 8, "int8_t", "b"),
        _signed("int16", 16, "int16_t", "h"),
        _signed("int32", 32, "int32_t", "i"),
        _signed("int64", 64, "int64_t", "q"),
        DType("uint8", 8, 0, 255, "uint8_t", "B"),
        DType("uint32", 32, 0, (1 << 32) - 1, "uint32_t", "I"),
        DType("uint64", 64, 0, (1 << 64) - 1, "uint64_t", "Q"),
        DType("bool", 8, 0, 1, "uint8_t", "B"),  # a byte that is neither is moved as it is
    )
}


def unpack(data: bytes, dtype: str) -> tuple[int, ...]:
    """The elements of a tensor's little-endian bytes. int4: the low half of each byte comes first, and a last high half
    that is no element's is returned, too."""
    if dtype == "int4":
        halves = (half for byte in data for half in (byte & 15, byte >> 4))
        return tuple(half - 16 if half > 7 else half for half in halves)
    letter = DTYPES[dtype].letter
    return tuple(int(value) for value in struct.unpack(f"<{len(data) // struct.calcsize(letter)}{letter}", data))


def pack(values: tuple[int, ...] | list[int], dtype: str) -> bytes:
    """The reverse; not for int4, which no computed tensor has."""
    return struct.pack(f"<{len(values)}{DTYPES[dtype].letter}", *values)
