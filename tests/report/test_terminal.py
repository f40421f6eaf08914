# SPDX-License-Identifier: Apache-2.0
"""The training plot in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyproof.report.build_data import read_trace
from tinyproof.report.terminal import DOTS, HEIGHT, MARGIN, training_plot


@dataclass(frozen=True)
class Row:
    step: int
    rmse: float


@pytest.mark.parametrize("width", [40, 80, 120])
def test_it_fits_its_width_and_has_neither_colour_nor_trailing_blanks(finished: Path, width: int) -> None:
    lines = training_plot(read_trace(finished / "trace.csv"), width).split("\n")
    assert len(lines) == HEIGHT + 3
    assert max(map(len, lines)) <= width - 1
    assert "\x1b" not in "".join(lines)
    assert all(line == line.rstrip() for line in lines)
    assert lines[-1].split() == ["0", "step", "500"]
    assert [line.split()[0] for line in lines if "│" in line and line[0:8].strip()] == ["10", "1", "0.1"]


def test_the_dots_are_on_the_curve() -> None:
    """A straight line on the log axis, from the top left dot to the bottom right one."""
    rows = [Row(k, 10.0 ** (2 - 4 * k / 200)) for k in range(201)]
    lines = training_plot(rows, 80).split("\n")[1 : 1 + HEIGHT]
    columns = 80 - MARGIN - 1
    dots = set()
    for number, line in enumerate(lines):
        for column, character in enumerate(line[MARGIN:]):
            cell = ord(character) - 0x2800 if character != " " else 0
            dots |= {(column * 2 + x, number * 4 + y) for x in (0, 1) for y in range(4) if cell & DOTS[x][y]}
    assert (0, 0) in dots
    assert (columns * 2 - 1, HEIGHT * 4 - 1) in dots
    for x, y in dots:
        assert abs(y - x * (HEIGHT * 4 - 1) / (columns * 2 - 1)) <= 1
    assert {x for x, _ in dots} == set(range(columns * 2))


def test_where_there_is_no_braille_it_is_ascii(finished: Path) -> None:
    plot = training_plot(read_trace(finished / "trace.csv"), 80, "latin-1")
    plot.encode("ascii")
    assert plot.count("*") > 60


@pytest.mark.parametrize("rows", [[Row(0, 5.0)], [Row(0, 0.0), Row(1, 0.0)], [Row(0, 2.0), Row(1, 2.0)]])
def test_flat_and_short_trainings_are_drawn_too(rows: list[Row]) -> None:
    for encoding in ("utf-8", "ascii"):
        assert training_plot(rows, 60, encoding).count("\n") == HEIGHT + 2
