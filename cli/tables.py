# SPDX-License-Identifier: Apache-2.0
"""Tables of plain text, the same on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Container, Sequence

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
