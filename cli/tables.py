# SPDX-License-Identifier: Apache-2.0
"""Tables of plain text, the same on a terminal and in a pipe, and the columns that all verbs keep to."""

from __future__ import annotations

from collections.abc import Container, Sequence

from tinyproof.core.escaping import escaped

WIDTH = 80
LABEL = 9  # columns of the label in front of each line
FIRST = 22  # columns of what comes behind it; then two blanks, whatever its length, and the rest

Cells = Sequence[str]


def aligned(rows: Sequence[Cells], right: Container[int] = ()) -> list[str]:
    """One line for each row, its cells under each other, two blanks apart; the columns `right` end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def stage_line(label: str, first: str, rest: str) -> str:
    """What a stage came to: its label, a number or a name, and two blanks behind it all else."""
    return f"{label:<{LABEL}}{first:<{FIRST}}  {rest}"


def file_name(name: str, width: int = FIRST) -> str:
    """A user's file name in at most `width` columns: without its middle where it is longer, as its ends tell it from
    others; and escaped, for no terminal shall be moved by it."""
    text = escaped(name)
    if len(text) <= width:
        return text
    head = (width - 2) // 2
    return f"{text[:head]}...{text[head + 3 - width :]}"
