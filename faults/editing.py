# SPDX-License-Identifier: Apache-2.0
"""A fault written into generated C, for those who compile that: a proof, or a firmware of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyproof.faults.fault import EngineFault
from tinyproof.faults.native.source import Region


def edit_source(text: str, regions: Sequence[Region], fault: EngineFault) -> str | None:
    """`text`, model_compiled.c or model_profile.c, with the fault's numbers; None where it changes more than whole
    numbers of tables and parameters."""
    for change in fault.changes:
        region = regions[change.region]
        size = region.element_bytes
        if change.offset % size or len(change.content) != size:
            return None
        value = int.from_bytes(change.content, "little", signed=True)
        edited = (
            _edit_parameter(text, regions, region, value)
            if region.is_parameter
            else _edit_table(text, region, change.offset // size, value)
        )
        if edited is None:
            return None
        text = edited
    return text


def _edit_table(text: str, region: Region, place: int, value: int) -> str | None:
    """The table may be there twice, of which the one for cores with MVE has another size."""
    count = len(region.content) // region.element_bytes
    found = re.search(
        rf"static (?:KERNEL_TABLE|const) (u?)int\d+_t {region.name}\[{count}\][^=]*= \{{([^{{}}]*)\}};", text
    )
    if found is None:
        return None
    values = [word.strip() for word in found[2].split(",")]
    values[place] = str(value % (1 << 8 * region.element_bytes) if found[1] else value)
    return f"{text[: found.start(2)]}{', '.join(values)}{text[found.end(2) :]}"


def _edit_parameter(text: str, regions: Sequence[Region], region: Region, value: int) -> str | None:
    """The last struct of that name is the one for cores without MVE. Numbers in braces stand in the order of their
    members."""
    name, _, path = region.name.partition(".")
    member = path.partition(".")[0].partition("[")[0]
    structs = list(
        re.finditer(rf"^static const struct \w+ {name} = \{{\n(?:    \.\w+ = .*,\n)*\}};", text, re.MULTILINE)
    )
    if not structs:
        return None
    line = re.search(rf"^    \.{member} = (.*),$", structs[-1][0], re.MULTILINE)
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
    start = structs[-1].start() + line.start(1)
    return f"{text[:start]}{new}{text[start + len(words) :]}"
