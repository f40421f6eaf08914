# SPDX-License-Identifier: Apache-2.0
"""Rows of a SOFTMAX of int8 that no chance brings: of millions of sums of exponentials those that are a power of two or
next to one, those at which a share lies just between two bytes, and some of which the next sum makes another byte.

At the first the reciprocal is at an end of its format, and the count of leading zeros changes; at the second the last
bit of the fixed-point arithmetic decides; at the third a term of 1 too much or too little. Two elements of a row are
chosen so that it has just that sum. Of rows of two there are few enough distances for all of them.

Beside each content lies the greatest byte (probe.h), for a kernel that looks beyond a row for its maximum. Each row
lies as far below it as lets that show, where anything does: of rows of two it may be one distance of one of them.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from tinyproof.core.tflite.arithmetic import BYTE_DISTANCES
from tinyproof.core.tflite.fixed_point import rounding_shift_right
from tinyproof.core.tflite.layer_probes import BESIDE
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.softmax import Softmax

MIN_DEPTH, MAX_DEPTH = 3, 64  # a longer row is left to chance
SHORT = 4  # elements: of these two are chosen, and no third one is given
TRIES = 60  # for each sum
STEPS, STEP_TRIES = 24, 100  # rows before a step, and as many behind one; sums tried for them
MOST = 400  # rows
SEED = 1
SUM_BITS = 12  # integer bits of a sum (softmax_shares.py)

Wanted = tuple[int, tuple[int, ...]]  # a sum, and distances that its row has beside 0


def softmax_rows(op: Op) -> tuple[bytes, ...]:
    """Contents of the whole input, each row the same; none for other operators and lengths."""
    if not isinstance(op, Softmax) or op.x.dtype != "int8":
        return ()
    if not 2 <= op.depth <= MAX_DEPTH:
        return ()
    # NumPy is loaded where there is a SOFTMAX.
    from tinyproof.export import softmax_shares

    rows = _rows_of_two() if op.depth == 2 else _rows(op.exponentials, op.depth)
    below = softmax_shares.telling_distances(op.exponentials, rows)
    return tuple(_bytes(row, far) * (op.x.elements // op.depth) for row, far in zip(rows, below, strict=True))


def _rows(exponentials: Sequence[int], depth: int) -> Sequence[Sequence[int]]:
    from tinyproof.export import softmax_shares

    if depth == MIN_DEPTH:
        return softmax_shares.rows_of_three(exponentials, SEED, MOST)
    rows = _Rows(exponentials, depth)
    least, most = rows.terms[0], depth * rows.terms[0]
    rows.add(_powers(least, most), MOST)
    rows.add(((total, (one,)) for total, one in softmax_shares.critical_sums(exponentials, least, most)), MOST)
    steps = softmax_shares.sums_before_a_step(exponentials, least, most)
    steps = random.Random(SEED).sample(steps, min(STEP_TRIES, len(steps)))
    rows.add(((total, (one,)) for total, one in steps), len(rows.found) + STEPS)
    if depth > SHORT:
        last = len(exponentials) - 1
        rows.add(((total + 1, (one, last)) for total, one in steps), len(rows.found) + STEPS)
    return rows.found


def _bytes(row: Sequence[int], below: int) -> bytes:
    """`below`: how far its maximum lies below the greatest byte."""
    return bytes((BESIDE - below - distance) % 256 for distance in row)


class _Rows:
    """Rows of `depth` elements, as distances to their maximum, that are found one after the other."""

    def __init__(self, exponentials: Sequence[int], depth: int) -> None:
        self.terms = [rounding_shift_right(value, SUM_BITS) for value in exponentials]
        if len(self.terms) < BYTE_DISTANCES:
            self.terms.append(0)  # what lies farther does not count
        self.found: list[list[int]] = []
        self._depth, self._source = depth, random.Random(SEED)
        count = range(len(self.terms))
        self._pairs = {self.terms[a] + self.terms[b]: (a, b) for a in count for b in count[a:]}
        self._upward = [-term for term in self.terms]

    def add(self, wanted: Iterable[Wanted], most: int) -> None:
        """Of as many as can be made, `most` at most of all."""
        for total, distances in wanted:
            if len(self.found) >= most:
                return
            row = self._row(total, [0, *(distance for distance in distances if distance)])
            if row is not None:
                self.found.append(row)

    def _row(self, total: int, fixed: Sequence[int]) -> list[int] | None:
        """Distances to the maximum, `fixed` among them, whose terms have that sum."""
        rest = total - sum(self.terms[one] for one in fixed)
        for _ in range(TRIES if rest >= 0 else 0):
            others = self._others(rest, self._depth - len(fixed) - 2)
            pair = self._pairs.get(rest - sum(self.terms[one] for one in others))
            if pair is not None:
                row = [*fixed, *others, *pair]
                self._source.shuffle(row)
                return row
        return None

    def _others(self, rest: int, count: int) -> list[int]:
        """Some of any size, then the greatest that fit, or almost: of a small rest two terms are soon found."""
        found: list[int] = []
        chosen = self._source.randint(0, count)
        for place in range(count):
            fitting = bisect_left(self._upward, -rest)
            last = len(self.terms) - 1
            one = self._source.randint(min(fitting, last), last if place < chosen else min(fitting + 1, last))
            rest -= self.terms[one]
            found.append(one)
        return found


def _rows_of_two() -> Sequence[Sequence[int]]:
    """The greater one is the first of every second distance."""
    return [(0, distance)[:: 1 - 2 * (distance % 2)] for distance in range(BYTE_DISTANCES)]


def _powers(least: int, most: int) -> Iterator[Wanted]:
    """Sums, each with distances to the maximum that its row has."""
    for bit in range(least.bit_length() - 1, most.bit_length()):
        for total in (1 << bit, (1 << bit) - 1, (1 << bit) + 1):
            if least <= total <= most:
                yield total, ()
