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
    try:
        member, values, count = _vector(data, is_map=False)
        return _signed(data, values + place * member, member) if 0 <= place < count else None
    except ValueError:
        return None


def read_map(content: bytes) -> dict[str, int]:
    """The members in their order, which is that of their names. TFLite Micro reads every number as a signed one,
    whatever its type says, and so do we. Raises ValueError for anything else than such a map."""
    member, values, count = _vector(content, is_map=True)
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
        found[name] = _signed(content, values + number * member, member)
    if len(found) != count:
        raise ValueError("two of their names are alike")
    return found


def _vector(content: bytes, *, is_map: bool) -> tuple[int, int, int]:
    """The root's: bytes of a member, where the first one stands, and how many there are."""
    if len(content) < 3:
        raise ValueError("they end too early")
    kind, width = content[-2], content[-1]
    if width not in _WIDTHS or (is_map and kind >> 2 != _MAP):
        raise ValueError("they are no map")
    member = 1 << (kind & 3)
    values = _back(content, len(content) - 2 - width, width)
    return member, values, _number(content, values - member, member)


def _slice(content: bytes, start: int, size: int) -> bytes:
    if start < 0 or start + size > len(content):
        raise ValueError("they point out of themselves")
    return content[start : start + size]


def _number(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(_slice(content, start, size), "little")


def _signed(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(_slice(content, start, size), "little", signed=True)


def _back(content: bytes, place: int, size: int) -> int:
    """Where an offset leads, which is always back."""
    return place - _number(content, place, size)


def _text(content: bytes, start: int) -> str:
    end = content.find(b"\0", start) if start >= 0 else -1
    if end < 0:
        raise ValueError("a name has no end")
    return content[start : min(end, start + 60)].decode("ascii", "replace")
