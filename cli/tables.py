# SPDX-License-Identifier: Apache-2.0
"""Tables of plain text, the same on a terminal and in a pipe, and the columns that all verbs keep to."""

from __future__ import annotations

import textwrap
from collections.abc import Container, Sequence

from tinyproof.core.escaping import escaped

WIDTH = 80
LABEL = 9  # columns of the label in front of each line
SHORTEST = 12  # a name is left of, in a table that is too wide
FIRST = 22  # columns of what comes behind it; then two blanks, whatever its length, and the rest

Cells = Sequence[str]


def aligned(
    rows: Sequence[Cells], right: Container[int] = (), shorten: Sequence[int] = (), width: int = WIDTH
) -> list[str]:
    """One line for each row, its cells under each other, two blanks apart; the columns `right` end together. Where
    lines would be longer than `width`, the columns `shorten` lose the middle of their longest cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and shorten:
        widest = max(shorten, key=lambda number: widths[number])
        if widths[widest] <= SHORTEST:
            break
        widths[widest] -= 1
    lines = []
    for row in rows:
        short = [middle_out(cell, widths[number]) if number in shorten else cell for number, cell in enumerate(row)]
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(short, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def stage_line(label: str, first: str, rest: str) -> str:
    """What a stage came to: its label, a number or a name, and two blanks behind it all else, wrapped there."""
    begin = f"{label:<{LABEL}}{first:<{FIRST}}  "
    if len(begin + rest) <= WIDTH:
        return begin + rest
    lines = textwrap.wrap(rest, WIDTH - LABEL - FIRST - 2, break_on_hyphens=False, break_long_words=False)
    return f"\n{'':<{LABEL + FIRST + 2}}".join([begin + lines[0], *lines[1:]])


def file_name(name: str, width: int = FIRST) -> str:
    """A user's file name in at most `width` columns: without its middle where it is longer, as its ends tell it from
    others; and escaped, for no terminal shall be moved by it."""
    return middle_out(escaped(name), width)


def middle_out(text: str, width: int) -> str:
    """`text` in at most `width` columns, of five at least."""
    if len(text) <= width:
        return text
    head = (width - 2) // 2
    return f"{text[:head]}...{text[head + 3 - width :]}"
