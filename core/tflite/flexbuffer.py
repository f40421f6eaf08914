# SPDX-License-Identifier: Apache-2.0
"""FlexBuffers, as custom operators keep their options: a vector of numbers, or a map, whose values are one.

Source: flatbuffers, flexbuffers.h. Nobody vouches for the bytes; what is not there is None.
"""

from __future__ import annotations

_WIDTHS = (1, 2, 4, 8)


def element(data: bytes, place: int) -> int | None:
    """An integer of the root's vector, read as signed whatever its type says: FlexbufferWrapper::ElementAsInt32."""
    if len(data) < 3 or data[-1] not in _WIDTHS:
        return None
    root = len(data) - 2 - data[-1]  # where it is said how far before the vector lies
    width = 1 << (data[-2] & 3)
    if root < 0:
        return None
    start = root - int.from_bytes(data[root : root + data[-1]], "little")
    if not width <= start <= len(data):
        return None
    size = int.from_bytes(data[start - width : start], "little")
    at = start + place * width
    if not 0 <= place < size or at + width > len(data):
        return None
    return int.from_bytes(data[at : at + width], "little", signed=True)
