# SPDX-License-Identifier: Apache-2.0
"""The checksum of a library's tables: vectors alone miss a changed bit that no answer of theirs depends on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from tinyproof.export.codegen import Unit
from tinyproof.export.ops.base import Constant

_LETTERS = {1: "b", 2: "h", 4: "i", 8: "q"}  # of struct, by an element's bytes; capitals are unsigned


def emit_checksum(unit: Unit, name: str) -> list[str]:
    """`NAME_tables_intact`: whether the CRC-32 (ISO-HDLC) over all tables is that of the export. Cores with MVE have
    other tables."""
    head = [f"int {name}_tables_intact(void) {{"]
    if not unit.tables and not unit.mve_tables:
        return [*head, "    return 1;", "}"]
    body = _body(unit.tables, name)
    if unit.mve_tables != unit.tables:
        body = ["#if KERNELS_MVE", *_body(unit.mve_tables, name), "#else", *body, "#endif"]
    kinds = {table.operand for tables in (unit.tables, unit.mve_tables) for table in tables.values()}
    functions = [line for operand in sorted(kinds) for line in _crc(_function(name, operand), operand)]
    return [*functions, *head, "    uint32_t crc = 0xFFFFFFFFU;", *body, "}"]


def _crc(function: str, operand: bool) -> list[str]:
    """Bit by bit: a table of its own would cost more than the model of a small board."""
    storage = "const" if operand else "KERNEL_TABLE"
    return [
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


def _function(name: str, operand: bool) -> str:
    """An operand lies where the arena does, other tables in an address space of their own where there is one."""
    return f"{name}_crc_of_operand" if operand else f"{name}_crc_of_table"


def _body(tables: Mapping[str, Constant], name: str) -> list[str]:
    crc = zlib.crc32(b"".join(map(_content, tables.values())))
    return [
        *(f"    crc = {_function(name, table.operand)}(crc, {at}, sizeof {at});" for at, table in tables.items()),
        f"    return crc == 0x{crc ^ 0xFFFFFFFF:08X}U;",
    ]


def _content(table: Constant) -> bytes:
    """As it lies in memory, low byte first: all boards are little-endian."""
    signed = _LETTERS[table.element_bytes]
    letter = signed.upper() if table.ctype.startswith("u") else signed
    return struct.pack(f"<{len(table.values)}{letter}", *table.values)
