# SPDX-License-Identifier: Apache-2.0
"""The model's constant tables in an image: which of them are not those of another image of the same model."""

from __future__ import annotations

import re
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_TABLE = re.compile(r"op(\d+)_\w+")  # as export/codegen.py names them, with the operator's number in the C


def model_tables(elf: Path) -> dict[str, bytes]:
    """Content of each table, by its name."""
    found = {}
    with elf.open("rb") as file:
        image = ELFFile(file)
        symbols = image.get_section_by_name(".symtab")
        if not isinstance(symbols, SymbolTableSection):
            return {}
        for symbol in symbols.iter_symbols():
            place = symbol["st_shndx"]
            if _TABLE.fullmatch(symbol.name) and symbol["st_size"] and isinstance(place, int):
                section = image.get_section(place)
                start = symbol["st_value"] - section["sh_addr"]
                found[symbol.name] = section.data()[start : start + symbol["st_size"]]
    return found


def changed_operator(elf: Path, right: Path) -> int | None:
    """The number, in the generated C, of the first operator that has a table in `elf` other than in `right`."""
    ours, theirs = model_tables(elf), model_tables(right)
    changed = [name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]]
    return min((int(match[1]) for name in changed if (match := _TABLE.fullmatch(name))), default=None)
