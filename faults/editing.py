# SPDX-License-Identifier: Apache-2.0
"""A fault written into generated C, for those who compile that: a proof, or a firmware of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyproof.faults.fault import EngineFault
from tinyproof.faults.native.source import Region

_CONDITION = re.compile(r"#if (!?)KERNELS_MVE$")
Edit = tuple[int, int, str]  # from, up to, and the words that stand there


def edit_source(text: str, regions: Sequence[Region], fault: EngineFault, *, mve: bool = False) -> str | None:
    """`text`, model_compiled.c or model_profile.c, with the fault's numbers, in the forms for cores with MVE or in
    those for all others; None where it changes more than whole numbers of tables and parameters."""
    for change in fault.changes:
        region = regions[change.region]
        size = region.element_bytes
        if change.offset % size or len(change.content) != size:
            return None
        value = int.from_bytes(change.content, "little", signed=True)
        form = one_form(text, mve=mve)
        edit = (
            _edit_parameter(form, regions, region, value)
            if region.is_parameter
            else _edit_table(form, region, change.offset // size, value)
        )
        if edit is None:
            return None
        start, end, words = edit
        text = f"{text[:start]}{words}{text[end:]}"
    return text


def one_form(text: str, *, mve: bool) -> str:
    """Generated C as it is compiled for cores with MVE, or for all others: what is not, and the conditions for that,
    become spaces, so that all else stays in its place."""
    lines: list[str] = []
    open_: list[tuple[bool, bool]] = []  # of each condition whether it chooses a form, and whether this is it
    for line in text.split("\n"):
        found = _CONDITION.match(line)
        if line.startswith("#if"):
            open_.append((found is not None, found is None or bool(found[1]) != mve))
        chooses, is_kept = open_[-1] if open_ else (False, True)
        if line == "#else" and chooses:
            open_[-1] = (True, not is_kept)
        blank = (chooses and line in ("#else", "#endif")) or found or not all(kept for _, kept in open_)
        lines.append(" " * len(line) if blank else line)
        if line == "#endif":
            open_.pop()
    return "\n".join(lines)


def _edit_table(text: str, region: Region, place: int, value: int) -> Edit | None:
    count = len(region.content) // region.element_bytes
    found = re.search(
        rf"static (?:KERNEL_TABLE|const) (u?)int\d+_t {region.name}\[{count}\][^=]*= \{{([^{{}}]*)\}};", text
    )
    if found is None:
        return None
    values = [word.strip() for word in found[2].split(",")]
    values[place] = str(value % (1 << 8 * region.element_bytes) if found[1] else value)
    return found.start(2), found.end(2), ", ".join(values)


def _edit_parameter(text: str, regions: Sequence[Region], region: Region, value: int) -> Edit | None:
    """Numbers in braces stand in the order of their members."""
    name, _, path = region.name.partition(".")
    member = path.partition(".")[0].partition("[")[0]
    struct = re.search(rf"^static const struct \w+ {name} = \{{\n(?:    \.\w+ = .*,\n)*\}};", text, re.MULTILINE)
    if struct is None:
        return None
    line = re.search(rf"^    \.{member} = (.*),$", struct[0], re.MULTILINE)
    if line is None:
        return None
    words, place = line[1], 0
    if words.startswith("{"):
        inner = [other.name for other in regions if other.name.startswith((f"{name}.{member}.", f"{name}.{member}["))]
        values = words.strip("{}").split(", ")
        place = inner.index(region.name)
        if place >= len(values):
            return None
        values[place] = str(value)
        new = f"{{{', '.join(values)}}}"
    else:
        new = str(value)
    start = struct.start() + line.start(1)
    return start, start + len(words), new
