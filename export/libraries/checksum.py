# SPDX-License-Identifier: Apache-2.0
"""The checksum of a library's tables: vectors alone miss a changed bit that no answer of theirs depends on."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyproof.export.lowering import Program
from tinyproof.export.ops.base import Constant

_LETTERS = {8: "b", 16: "h", 32: "i", 64: "q"}


@dataclass(frozen=True)
class _Table:
    name: str
    constant: Constant

    @property
    def content(self) -> bytes:
        """As it lies in memory, low byte first: all boards are little-endian."""
        match = re.fullmatch(r"(u?)int(\d+)_t", self.constant.ctype)
        bits = int(match[2]) if match else 32
        letter = _LETTERS[bits].upper() if match and match[1] else _LETTERS[bits]
        return struct.pack(f"<{len(self.constant.values)}{letter}", *self.constant.values)


def emit_checksum(program: Program, name: str, prefix: str) -> list[str]:
    """`NAME_tables_intact`: whether the CRC-32 (ISO-HDLC) over all tables is that of the export. Cores with MVE have
    other tables."""
    plain, mve = [], []
    for number, op in enumerate(program.ops):
        if not op.kernel:
            continue
        form = op.mve
        plain += [_Table(f"{prefix}op{number}_{table.suffix}", table) for table in op.constants()]
        tables = form.constants if form else op.constants()
        mve += [_Table(f"{prefix}op{number}_{table.suffix}", table) for table in tables]
    head = [f"int {name}_tables_intact(void) {{"]
    if not plain and not mve:
        return [*head, "    return 1;", "}"]
    body = _body(plain)
    if [table.name for table in mve] != [table.name for table in plain]:
        body = ["#if KERNELS_MVE", *_body(mve), "#else", *body, "#endif"]
    return [*_functions([*plain, *mve], prefix), *head, "    uint32_t crc = 0xFFFFFFFFU;", *body, "}"]


def _functions(tables: Iterable[_Table], prefix: str) -> list[str]:
    """The sum over tables in flash, and over those that lie where the arena does, as far as there are any."""
    lines: list[str] = []
    for operand in sorted({table.constant.operand for table in tables}):
        storage = "const" if operand else "KERNEL_TABLE"
        function = _function(prefix, operand=operand)
        lines += [
            f"static uint32_t {function}(uint32_t crc, {storage} void *table, uint32_t bytes) {{",
            f"    {storage} uint8_t *from = ({storage} uint8_t *)table;",
            "    for (; bytes > 0; bytes--) {",
            "        crc ^= *from++;",
            "        for (uint8_t bit = 0; bit < 8; bit++) {",
            "            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));",
            "        }",
            "    }",
            "    return crc;",
            "}",
            "",
        ]
    return lines


def _function(prefix: str, *, operand: bool) -> str:
    return f"{prefix}crc_of_operand" if operand else f"{prefix}crc_of_table"


def _body(tables: Sequence[_Table]) -> list[str]:
    crc = zlib.crc32(b"".join(table.content for table in tables))
    functions = [_function(_prefix(table), operand=table.constant.operand) for table in tables]
    return [
        *(
            f"    crc = {function}(crc, {table.name}, sizeof {table.name});"
            for function, table in zip(functions, tables, strict=True)
        ),
        f"    return crc == 0x{crc ^ 0xFFFFFFFF:08X}U;",
    ]


def _prefix(table: _Table) -> str:
    return table.name[: table.name.rindex("op")]
