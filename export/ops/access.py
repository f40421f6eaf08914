# SPDX-License-Identifier: Apache-2.0
"""When a kernel reads each byte of its input for the last time, and when it writes each byte of its output first.

That is all that decides how far an output may reach into the input that it is made of. Every form of a kernel (plain,
DSP, MVE) is declared apart, since one plan serves all boards; a test runs each of them at the distance that follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[Any]
NEVER = -1


@dataclass(frozen=True)
class AccessOrder:
    """`last_read`: of each unit of the input the step that reads it last, or NEVER; `first_write`: of each unit of the
    output the step that writes it first. Within a step everything is read before anything is written. Units are
    `read_bytes` and `write_bytes` long and lie side by side."""

    last_read: Steps
    first_write: Steps
    read_bytes: int
    write_bytes: int

    @property
    def distance(self) -> int:
        """How many bytes before the input's begin the output's must lie at least, so that nothing is overwritten that
        is still to be read; below 0 it may begin behind it."""
        steps = np.unique(np.concatenate((self.first_write, self.last_read)))
        written = np.full(steps.size, np.iinfo(np.int64).min // 2)  # where the written bytes end, from each step on
        ends = (np.arange(self.first_write.size) + 1) * self.write_bytes
        np.maximum.at(written, np.searchsorted(steps, self.first_write), ends)
        written = np.maximum.accumulate(written)
        unread = np.full(steps.size, np.iinfo(np.int64).max // 2)  # where what is read after a step begins
        begins = np.arange(self.last_read.size) * self.read_bytes
        places = np.searchsorted(steps, self.last_read) - 1
        np.minimum.at(unread, places[places >= 0], begins[places >= 0])
        unread = np.minimum.accumulate(unread[::-1])[::-1]
        return max(int((written - unread).max()), -self.last_read.size * self.read_bytes)


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

    def covers(self) -> Steps:
        """[size, outputs]: whether an output covers an element."""
        covered = np.zeros((self.size, self.outputs), bool)
        places = np.arange(self.outputs) * self.stride - self.pad
        for tap in range(self.taps):
            elements = places + tap * self.dilation
            inside = (elements >= 0) & (elements < self.size)
            covered[elements[inside], np.flatnonzero(inside)] = True
        return covered


def windows_order(
    axes: tuple[Window, Window], groups: Steps, pixel_bytes: tuple[int, int], *, late: bool
) -> AccessOrder:
    """Of a kernel that makes its output pixels in `groups`: [rows, columns], the number of the group of each in their
    order. `late`: it still reads the input under a group while it writes that group. `pixel_bytes`: of the input and of
    the output."""
    rows, columns = axes[0].covers(), axes[1].covers()
    first_write = 2 * groups
    # The last group that covers a pixel, first along the columns, then along the rows.
    along = np.stack([np.where(column, first_write, NEVER).max(axis=1) for column in columns], axis=1)
    last_read = np.stack([np.where(row[:, None], along, NEVER).max(axis=0) for row in rows], axis=0)
    if late:
        last_read[last_read != NEVER] += 1
    return AccessOrder(last_read.ravel(), first_write.ravel(), *pixel_bytes)


def in_rows(height: int, width: int, group: int) -> Steps:
    """Groups of `group` pixels, one row after the other; the last of an image may be smaller."""
    return np.arange(height * width).reshape(height, width) // group


def by_strips(height: int, width: int, strip: int, part: int) -> Steps:
    """Columns in parts of `part`, and of each part its rows in strips of `strip`."""
    rows, columns = np.arange(height)[:, None] // strip, np.arange(width)[None, :] // part
    return columns * (-(-height // strip)) + rows
