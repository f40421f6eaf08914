# SPDX-License-Identifier: Apache-2.0
"""The training as a plot in a terminal: plain characters, no colour, so it is the same when piped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tinyproof.report.chart import log_ticks, short

HEIGHT = 10  # lines of the plot
MARGIN = 9  # columns of the axis on the left
# Bits of a braille cell by (column, row), Unicode 10.0, block U+2800: two dots wide, four high.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class PlottedRow(Protocol):
    """What the plot needs of a row of the trace."""

    @property
    def step(self) -> int:
        """The training step, from 0."""

    @property
    def rmse(self) -> float:
        """The root mean squared error after it, in the unit of y."""


def training_plot(rows: Sequence[PlottedRow], width: int = 80, encoding: str = "utf-8") -> str:
    """RMSE against step on a log axis, `width` columns wide (at least 40), without a final newline.

    Braille dots where `encoding` (that of the stream it is written to) has them, `*` otherwise.
    """
    columns = max(40, width) - MARGIN - 1
    braille = _has_braille(encoding)
    across, down = (2, 4) if braille else (1, 1)
    points = [(row.step, max(row.rmse, 1e-30)) for row in rows if math.isfinite(row.rmse)]
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)
    low, high = _bounds([rmse for _, rmse in points])
    grid = [[0] * columns for _ in range(HEIGHT)]
    previous = None
    for step, rmse in points:
        x = round((step - first) / (last - first) * (columns * across - 1))
        y = round((math.log10(high) - math.log10(rmse)) / (math.log10(high) - math.log10(low)) * (HEIGHT * down - 1))
        for dot_x, dot_y in _line(previous, (x, y)):
            cell = DOTS[dot_x % 2][dot_y % 4] if braille else 1
            grid[dot_y // down][dot_x // across] |= cell
        previous = (x, y)
    characters = [["".join(_character(cell, braille)) for cell in line] for line in grid]
    labels = _labels(low, high)
    bar, corner, dash = ("│", "└", "─") if braille else ("|", "+", "-")
    lines = [f"{'RMSE':>{MARGIN - 2}}"]
    for number, line in enumerate(characters):
        label = labels.get(number, "")
        lines.append(f"{_plain(label, braille):>{MARGIN - 2}} {bar}{''.join(line)}".rstrip())
    lines.append(f"{'':>{MARGIN - 1}}{corner}{dash * columns}")
    end = f"step {last:,}"
    lines.append(f"{'':>{MARGIN}}{first:<{columns - len(end)},}{end}")
    return "\n".join(lines)


def _has_braille(encoding: str) -> bool:
    try:
        "⣿│└─".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _bounds(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low / 2, high * 2) if high / low < 1.01 else (low, high)


def _labels(low: float, high: float) -> dict[int, str]:
    """Line -> tick, where a tick falls on it."""
    span = math.log10(high) - math.log10(low)
    return {
        round((math.log10(high) - math.log10(tick)) / span * (HEIGHT - 1)): short(tick) for tick in log_ticks(low, high)
    }


def _plain(label: str, braille: bool) -> str:
    """Superscripts and a true minus sign only where there is braille, too."""
    if braille:
        return label
    return (
        label.replace("10", "1e", 1).translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−·", "-0123456789-x"))
        if "⁻" in label
        else label
    )


def _line(start: tuple[int, int] | None, end: tuple[int, int]) -> list[tuple[int, int]]:
    """Dots from `start` (left out) to `end`: no gap where the curve is steep."""
    if start is None:
        return [end]
    count = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (round(start[0] + (end[0] - start[0]) * k / count), round(start[1] + (end[1] - start[1]) * k / count))
        for k in range(1, count + 1)
    ]


def _character(cell: int, braille: bool) -> str:
    if not cell:
        return " "
    return chr(0x2800 + cell) if braille else "*"
