# SPDX-License-Identifier: Apache-2.0
"""A bounds-checked cursor over a FlatBuffer that nobody vouches for.

Layout: https://flatbuffers.dev/internals/ . A table starts with a signed offset back to its vtable; the vtable is
{u16 bytes of the vtable, u16 bytes of the table, u16 offset of each field or 0}. Vectors are a u32 count, then the
elements. Every position is checked against the file, and every element read is charged to a budget, since offsets may
alias: a small file can otherwise describe gigabytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tinyproof.core.errors import InputFileError

_SIZES = {"b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}
_CHARGES_PER_BYTE = 16  # honest files read each byte about once; shared vtables and buffers need some slack
_MIN_BUDGET = 65_536


class Flatbuffer:
    """The bytes, the name used in messages, and what may still be read of them."""

    def __init__(self, data: bytes, file: str) -> None:
        self.data = data
        self.file = file
        self._budget = max(_MIN_BUDGET, _CHARGES_PER_BYTE * len(data))

    def damaged(self, what: str) -> InputFileError:
        """The error for a file that cannot be read further; `what` says where that shows."""
        return InputFileError(f"{self.file}: not a usable .tflite: {what}; convert the model again")

    def charge(self, units: int) -> None:
        """Raises InputFileError when the file makes us read far more than it holds."""
        self._budget -= units
        if self._budget < 0:
            raise self.damaged("its parts overlap, which no converter writes")

    def check(self, position: int, size: int, what: str) -> None:
        """Raises InputFileError where `size` bytes at `position` are not all inside the file."""
        if position < 0 or size < 0 or position + size > len(self.data):
            raise self.damaged(f"{what} lies outside the file")

    def number(self, position: int, kind: str, what: str) -> int | float:
        """One little-endian scalar; `kind` is its letter in the struct module."""
        self.check(position, _SIZES[kind], what)
        self.charge(1)
        value: int | float = struct.unpack_from("<" + kind, self.data, position)[0]
        return value

    def integer(self, position: int, kind: str, what: str) -> int:
        """One little-endian integer; `kind` is its letter in the struct module."""
        return int(self.number(position, kind, what))

    def follow(self, position: int, what: str) -> int:
        """Target of the unsigned offset stored at `position`, relative to that position."""
        offset = self.integer(position, "I", what)
        if offset == 0:
            raise self.damaged(f"{what} points at itself")
        return position + offset

    def root(self, identifier: bytes) -> Table:
        """The file's root table. Raises InputFileError where the file does not bear `identifier`."""
        if self.data[4:8] != identifier:
            raise self.damaged(f"the mark {identifier.decode()} is missing at its start")
        return Table.at(self, self.follow(0, "the root table"), "the root table")


@dataclass(frozen=True)
class Table:
    """A table at a checked position. Fields are read by their number in the schema; absent ones give the default."""

    buffer: Flatbuffer
    position: int
    fields: tuple[int, ...]  # offset of each field from `position`; 0: absent
    size: int
    what: str

    @classmethod
    def at(cls, buffer: Flatbuffer, position: int, what: str) -> Table:
        """Raises InputFileError when the table or its vtable does not lie inside the file."""
        vtable = position - buffer.integer(position, "i", what)
        vtable_size = buffer.integer(vtable, "H", f"the vtable of {what}")
        size = buffer.integer(vtable + 2, "H", f"the vtable of {what}")
        if vtable_size < 4 or vtable_size % 2 or size < 4:
            raise buffer.damaged(f"the vtable of {what} is malformed")
        buffer.check(vtable, vtable_size, f"the vtable of {what}")
        buffer.check(position, size, what)
        count = (vtable_size - 4) // 2
        buffer.charge(count)
        return cls(buffer, position, struct.unpack_from(f"<{count}H", buffer.data, vtable + 4), size, what)

    def _locate(self, field: int, size: int) -> int | None:
        offset = self.fields[field] if field < len(self.fields) else 0
        if offset == 0:
            return None
        if offset < 4 or offset + size > self.size:
            raise self.buffer.damaged(f"field {field} of {self.what} lies outside its table")
        return self.position + offset

    def number(self, field: int, kind: str, default: int | float = 0) -> int | float:
        """The scalar in slot `field`, or `default` where the writer left it out."""
        position = self._locate(field, _SIZES[kind])
        return default if position is None else self.buffer.number(position, kind, self.what)

    def integer(self, field: int, kind: str, default: int = 0) -> int:
        """The integer in slot `field`, or `default` where the writer left it out."""
        return int(self.number(field, kind, default))

    def table(self, field: int, what: str) -> Table | None:
        """The table in slot `field`; None when absent."""
        position = self._locate(field, 4)
        return None if position is None else Table.at(self.buffer, self.buffer.follow(position, what), what)

    def _vector(self, field: int, element_size: int, what: str) -> tuple[int, int]:
        """Position and count of a vector's elements; (0, 0) when absent."""
        position = self._locate(field, 4)
        if position is None:
            return 0, 0
        start = self.buffer.follow(position, what)
        count = self.buffer.integer(start, "I", what)
        self.buffer.check(start + 4, count * element_size, what)
        self.buffer.charge(count)
        return start + 4, count

    def numbers(self, field: int, kind: str, what: str) -> tuple[int | float, ...]:
        """The vector of scalars in slot `field`; empty when absent."""
        start, count = self._vector(field, _SIZES[kind], what)
        return struct.unpack_from(f"<{count}{kind}", self.buffer.data, start)

    def integers(self, field: int, kind: str, what: str) -> tuple[int, ...]:
        """The vector of integers in slot `field`; empty when absent."""
        return tuple(int(value) for value in self.numbers(field, kind, what))

    def blob(self, field: int, what: str) -> bytes:
        """The vector of bytes in slot `field`; empty when absent."""
        start, count = self._vector(field, 1, what)
        return self.buffer.data[start : start + count]

    def place(self, field: int, what: str) -> int:
        """Where in the file the vector of bytes in slot `field` begins; 0 when absent or empty."""
        start, count = self._vector(field, 1, what)
        return start if count else 0

    def text(self, field: int, what: str) -> str:
        """A string of the file; bytes that are not UTF-8 come back as escapes."""
        return self.blob(field, what).decode("utf-8", "backslashreplace")

    def tables(self, field: int, what: str) -> list[Table]:
        """A vector of tables; `what` names one of them, its index is added."""
        start, count = self._vector(field, 4, f"the list of each {what}")
        found = []
        for index in range(count):
            name = f"{what} {index}"
            found.append(Table.at(self.buffer, self.buffer.follow(start + 4 * index, name), name))
        return found
