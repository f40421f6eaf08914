# SPDX-License-Identifier: Apache-2.0
"""The model's constants in an image, its tables and parameters: which are not those of another image of the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

# As export/codegen.py names them, with the number in the C: tables, and the parameters of a call. Those of an
# operator that takes turns with others have its place among them, and one of its forms.
_CONSTANT = re.compile(r"op(\d+)(?:_\w+)?")
_PARAMETERS = re.compile(r"op\d+(?:_\d+)*(?:_rows\d+)?")


@dataclass(frozen=True)
class ImageConstant:
    """`offset`: where its bytes begin in the file."""

    address: int
    offset: int
    content: bytes


def model_constants(elf: Path) -> dict[str, ImageConstant]:
    """Tables and parameter structs, by their names; the compiler leaves none of those that it has folded into code."""
    found = {}
    with elf.open("rb") as file:
        image = ELFFile(file)
        symbols = image.get_section_by_name(".symtab")
        if not isinstance(symbols, SymbolTableSection):
            return {}
        for symbol in symbols.iter_symbols():
            place = symbol["st_shndx"]
            if _CONSTANT.fullmatch(symbol.name) and symbol["st_size"] and isinstance(place, int):
                section = image.get_section(place)
                start = symbol["st_value"] - section["sh_addr"]
                content = section.data()[start : start + symbol["st_size"]]
                found[symbol.name] = ImageConstant(symbol["st_value"], section["sh_offset"] + start, content)
    return found


def different_constants(elf: Path, right: Path) -> tuple[list[str], list[str]]:
    """Constants that both images have, and those of them that differ. A pointer in a parameter struct is the same where
    it points to the same table."""
    ours, theirs = model_constants(elf), model_constants(right)
    names = sorted(ours.keys() & theirs.keys(), key=lambda name: (_number(name), name))
    return names, [name for name in names if not _same(name, ours, theirs)]


def changed_operator(elf: Path, right: Path) -> int | None:
    """The number, in the generated C, of the first operator that has a constant in `elf` other than in `right`."""
    return min(map(_number, different_constants(elf, right)[1]), default=None)


def _number(name: str) -> int:
    found = _CONSTANT.fullmatch(name)
    assert found
    return int(found[1])


def _same(name: str, ours: dict[str, ImageConstant], theirs: dict[str, ImageConstant]) -> bool:
    a, b = ours[name].content, theirs[name].content
    if a == b or len(a) != len(b) or not _PARAMETERS.fullmatch(name):
        return a == b
    size = 4 if len(a) % 4 == 0 else 2  # of a pointer
    moved = {(ours[table].address, theirs[table].address) for table in ours.keys() & theirs.keys()}
    for at in range(0, len(a), size):
        words = tuple(int.from_bytes(content[at : at + size], "little") for content in (a, b))
        if words[0] != words[1] and words not in moved:
            return False
    return True
