# SPDX-License-Identifier: Apache-2.0
"""When a kernel reads each byte of its input for the last time, and when it writes each byte of its output first.

That is all that decides how far an output may reach into the input that it is made of. Every form of a kernel (plain,
DSP, MVE) is declared apart, since one plan serves all boards; a test runs each of them at the distance that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NEVER = -1
Groups = Sequence[Sequence[int]]  # [rows][columns] of an output: the number of the group in which each pixel is made


@dataclass(frozen=True)
class AccessOrder:
    """`last_read`: of each unit of the input the step that reads it last, or NEVER; `first_write`: of each unit of the
    output the step that writes it first. Within a step everything is read before anything is written. Units are
    `read_bytes` and `write_bytes` long and lie side by side."""

    last_read: Sequence[int]
    first_write: Sequence[int]
    read_bytes: int
    write_bytes: int

    @property
    def distance(self) -> int:
        """How many bytes before the input's begin the output's must lie at least, so that nothing is overwritten that
        is still to be read; below 0 it may begin behind it."""
        ends: dict[int, int] = {}  # where the bytes end that a step writes
        for unit, step in enumerate(self.first_write):
            ends[step] = (unit + 1) * self.write_bytes
        begins: dict[int, int] = {}  # where those begin that a step reads last
        for unit, step in reversed([*enumerate(self.last_read)]):
            begins[step] = unit * self.read_bytes
        begins.pop(NEVER, None)
        distance = -len(self.last_read) * self.read_bytes
        unread = sorted(begins.items())
        lowest = [begin for _, begin in unread]  # of a step and all behind it
        for place in range(len(lowest) - 2, -1, -1):
            lowest[place] = min(lowest[place], lowest[place + 1])
        written = place = 0
        for step, end in sorted(ends.items()):
            written = max(written, end)
            while place < len(unread) and unread[place][0] <= step:
                place += 1
            if place < len(unread):
                distance = max(distance, written - lowest[place])
        return distance


@dataclass(frozen=True)
class Window:
    """One axis of a kernel that walks over an image: output k covers `taps` elements from k * stride - pad on, each
    `dilation` further."""

    size: int
    outputs: int
    taps: int
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    def last(self) -> list[int]:
        """Of each element the last output that covers it, or NEVER."""
        found = [NEVER] * self.size
        for output in range(self.outputs):
            start = output * self.stride - self.pad
            for element in range(start, start + self.taps * self.dilation, self.dilation):
                if 0 <= element < self.size:
                    found[element] = output
        return found


def windows_order(
    axes: tuple[Window, Window], groups: Groups, pixel_bytes: tuple[int, int], *, late: bool
) -> AccessOrder:
    """Of a kernel that makes its output pixels in `groups`, whose numbers fall neither along rows nor along columns.
    `late`: it still reads the input under a group while it writes that group. `pixel_bytes`: of the input and of the
    output."""
    rows, columns = axes[0].last(), axes[1].last()
    last_read = [
        NEVER if row == NEVER or column == NEVER else 2 * groups[row][column] + late
        for row in rows
        for column in columns
    ]
    return AccessOrder(last_read, [2 * group for row in groups for group in row], *pixel_bytes)


def in_rows(height: int, width: int, group: int) -> Groups:
    """Groups of `group` pixels, one row after the other; the last of an image may be smaller."""
    return [[(row * width + column) // group for column in range(width)] for row in range(height)]


def by_strips(width: int, strips: Sequence[int], part: int) -> Groups:
    """Columns in parts of `part`, and of each part its rows in `strips`."""
    of_rows = [strip for strip, rows in enumerate(strips) for _ in range(rows)]
    return [[column // part * len(strips) + strip for column in range(width)] for strip in of_rows]


def exchanged(groups: Groups) -> Groups:
    """Rows as columns."""
    return [list(column) for column in zip(*groups, strict=True)]
