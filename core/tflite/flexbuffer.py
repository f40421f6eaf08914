# SPDX-License-Identifier: Apache-2.0
"""FlexBuffers, as custom operators keep their options: a vector of numbers, or a map, whose values are one.

Source: flatbuffers, flexbuffers.h. Nobody vouches for the bytes.
"""

from __future__ import annotations

_WIDTHS = (1, 2, 4, 8)
_MAP, _SCALARS = 9, (1, 2, 26)  # the format's types: a map; a signed and an unsigned integer, a truth
MAX_MEMBERS = 64


def element(data: bytes, place: int) -> int | None:
    """An integer of the root's vector, read as signed whatever its type says: FlexbufferWrapper::ElementAsInt32.
    None where there is none."""
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


def read_map(content: bytes) -> dict[str, int]:
    """The members in their order, which is that of their names. TFLite Micro reads every number as a signed one,
    whatever its type says, and so do we. Raises ValueError for anything else than such a map."""
    if len(content) < 3:
        raise ValueError("they end too early")
    kind, width = content[-2], content[-1]
    if kind >> 2 != _MAP or width not in _WIDTHS:
        raise ValueError("they are no map")
    member = 1 << (kind & 3)
    values = _back(content, len(content) - 2 - width, width)
    count = _number(content, values - member, member)
    if not 0 <= count <= MAX_MEMBERS:
        raise ValueError(f"they have {count} members")
    types = values + count * member
    if types + count > len(content):
        raise ValueError("they end too early")
    keys = _back(content, values - 3 * member, member)
    key_width = _number(content, values - 2 * member, member)
    if key_width not in _WIDTHS:
        raise ValueError("their names are damaged")
    found: dict[str, int] = {}
    for number in range(count):
        if content[types + number] >> 2 not in _SCALARS:
            raise ValueError("they hold more than integers")
        name = _text(content, _back(content, keys + number * key_width, key_width))
        found[name] = int.from_bytes(_slice(content, values + number * member, member), "little", signed=True)
    if len(found) != count:
        raise ValueError("two of their names are alike")
    return found


def _slice(content: bytes, start: int, size: int) -> bytes:
    if start < 0 or start + size > len(content):
        raise ValueError("they point out of themselves")
    return content[start : start + size]


def _number(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(_slice(content, start, size), "little")


def _back(content: bytes, place: int, size: int) -> int:
    """Where an offset leads, which is always back."""
    return place - _number(content, place, size)


def _text(content: bytes, start: int) -> str:
    end = content.find(b"\0", start) if start >= 0 else -1
    if end < 0:
        raise ValueError("a name has no end")
    return content[start : min(end, start + 60)].decode("ascii", "replace")
