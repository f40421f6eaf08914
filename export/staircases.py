# SPDX-License-Identifier: Apache-2.0
"""Rescaling by one rounding where that gives every byte that TFLite Micro's two roundings give.

An output is a staircase over the sum, which rises where TFLite Micro's does if one line passes between all of its
thresholds. With T(v) the least sum whose output is at least v,

    y = ((sum + moved) * multiplier >> 32) + offset >> ONE_SHIFT

does so at each v if v * 2^(32 + ONE_SHIFT) - T(v) * multiplier <= moved * multiplier + offset * 2^32 for T(v), and not
for T(v) - 1. Only thresholds that a sum can reach count, and only outputs that the activation leaves. Both staircases
rise monotonically, so that equal thresholds make equal bytes for every sum; what is found is tried at each of them.

Ties go away from zero in TFLite Micro, half a step of the sum to either side: so there is a line where all outputs lie
on one side of the zero point, as behind a ReLU, and mostly none where they lie on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyproof.export.ops.one_rounding import ONE_SHIFT, OneRounding
from tinyproof.export.ops.scaling import Scaling

MAX_SUM = 2**23 - 1  # a sum's reach, moved: kernels have it times 256
MAX_SCALED = 2**22 - 1  # the reach of what is shifted: that, too
SLOPES = range(-2, 4)  # multipliers that are tried, around the factor
MOVES = 1 << 13  # of the sum that are tried at a time,
MAX_MOVE = 1 << 19  # and in all
FAR = 1 << 56  # from any threshold

Integers = npt.NDArray[np.int64]


def find_roundings(rows: Sequence[Sequence[int]], scaling: Scaling) -> list[OneRounding | None]:
    """Of each channel with the weights `rows`, for any inputs of int8; None where it takes two roundings."""
    weights, bias = np.array(rows, np.int64), np.array(scaling.bias, np.int64)
    lows = bias + np.minimum(-128 * weights, 127 * weights).sum(axis=1)
    highs = bias + np.maximum(-128 * weights, 127 * weights).sum(axis=1)
    levels = np.arange(scaling.clamp[0] + 1, scaling.clamp[1] + 1, dtype=np.int64)
    found: list[OneRounding | None] = []
    for low, high, multiplier, shift in zip(
        lows.tolist(), highs.tolist(), scaling.multipliers, scaling.shifts, strict=True
    ):
        stairs = Stairs(low, high, multiplier, shift, scaling.zero_point)
        found.append(stairs.find(levels, scaling.clamp) if shift < 0 else None)
    return found


@dataclass(frozen=True)
class Stairs:
    """Sums from `low` to `high`, and TFLite Micro's rescaling of them."""

    low: int
    high: int
    multiplier: int
    shift: int
    zero_point: int

    def outputs(self, sums: Integers) -> Integers:
        """MultiplyByQuantizedMultiplier with two roundings, not clamped; of common.h, for a shift to the right."""
        scaled = (sums * self.multiplier + (1 << 30)) >> 31
        right = -self.shift
        rounded = (np.abs(scaled) + (1 << right >> 1)) >> right
        outputs: Integers = np.where(scaled < 0, -rounded, rounded) + self.zero_point
        return outputs

    def thresholds(self, levels: Integers) -> Integers:
        """Of each level the least sum whose output is at least that; high + 1 where there is none."""
        steps, right = levels - self.zero_point, -self.shift
        half = 1 << right >> 1
        # Ties go away from zero: upward to a level above it, and not upward to another.
        scaled = np.where(steps > 0, (steps << right) - half, (steps - 1 << right) + half + 1)
        scaled = np.clip(scaled, -(1 << 31), 1 << 31)  # beyond it there is no sum
        least = -(((1 << 30) - (scaled << 31)) // self.multiplier)
        found: Integers = np.clip(least, self.low, self.high + 1)
        return found

    def find(self, levels: Integers, clamp: tuple[int, int]) -> OneRounding | None:
        """`levels`: outputs within `clamp` but for the lowest."""
        at = self.thresholds(levels)
        reached, passed = at <= self.high, at > self.low
        if not np.any(reached & passed):  # a constant
            output = int(np.clip(self.outputs(np.array([self.low])), *clamp)[0])
            return OneRounding(0, 0, output << ONE_SHIFT)
        heights = levels << (32 + ONE_SHIFT)
        nearest = (self.multiplier << (32 + ONE_SHIFT)) >> (31 - self.shift)
        lines = [nearest + step for step in SLOPES if 0 < nearest + step < 2**31]
        starts = [int(np.max(np.where(reached, heights - at * slope, -FAR))) for slope in lines]
        ends = [int(np.min(np.where(passed, heights - (at - 1) * slope, FAR))) - 1 for slope in lines]
        for start, end, slope in sorted(zip(starts, ends, lines, strict=True), key=lambda line: line[0] - line[1]):
            one = _on_line(slope, start, end)
            if one and self._fits(one) and self._equal(one, at, clamp):
                return one
        return None

    def _fits(self, one: OneRounding) -> bool:
        reach = max(abs(self.low + one.moved), abs(self.high + one.moved))
        return reach <= MAX_SUM and (reach * one.multiplier >> 32) + 1 + abs(one.offset) <= MAX_SCALED

    def _equal(self, one: OneRounding, at: Integers, clamp: tuple[int, int]) -> bool:
        """Whether both rise at the same sums: they are equal on either side of each threshold, and at the ends."""
        sums = np.clip(np.concatenate([at, at - 1, [self.low, self.high]]), self.low, self.high)
        ones = (((sums + one.moved) * one.multiplier >> 32) + one.offset) >> ONE_SHIFT
        return np.array_equal(np.clip(ones, *clamp), np.clip(self.outputs(sums), *clamp))


def _on_line(slope: int, start: int, end: int) -> OneRounding | None:
    """The least move with which the line's height at 0, moved * slope + offset * 2^32, lies from `start` to `end`."""
    if start > end:
        return None
    for first in range(0, MAX_MOVE, MOVES):
        moves = np.arange(first, first + MOVES, dtype=np.int64)
        offsets = -((moves * slope - start) >> 32)
        inside = (offsets << 32) + moves * slope <= end
        if np.any(inside):
            place = int(np.argmax(inside))
            return OneRounding(int(moves[place]), slope, int(offsets[place]))
    return None
