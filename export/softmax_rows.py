# SPDX-License-Identifier: Apache-2.0
"""Rows of a SOFTMAX of int8 that no chance brings: of millions of sums of exponentials those that are a power of two or
next to one, and those at which a share lies just between two bytes.

At the former the reciprocal is at an end of its format, and the count of leading zeros changes; at the latter the last
bit of the fixed-point arithmetic decides. Two elements of a row are chosen so that it has just that sum. Of rows of two
there are few enough distances for all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from tinyproof.core.tflite.fixed_point import RECIPROCAL_SLOPE, RECIPROCAL_START, rounding_shift_right
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.softmax import Softmax

# reference/softmax.h: an exponential is Q0.31, their sum has 12 integer bits, and a share becomes 8 bits.
SUM_BITS, SHARE_BITS = 12, 31 - 8
MIN_DEPTH, MAX_DEPTH = 4, 64  # three elements leave no room for the choice, a longer row is left to chance
NEAR = 2  # last bits of a share between two bytes
TRIES = 1500  # for each sum
MOST = 400  # rows
SEED = 1
HIGHEST = 127

Array = Any  # of int64


def softmax_rows(op: Op) -> tuple[bytes, ...]:
    """Contents of the whole input, each row the same; none for other operators and lengths."""
    if not isinstance(op, Softmax) or op.x.dtype != "int8":
        return ()
    if op.depth == 2:
        return tuple(_two(distance) * (op.x.elements // 2) for distance in range(256))
    if not MIN_DEPTH <= op.depth <= MAX_DEPTH:
        return ()
    terms = [rounding_shift_right(value, SUM_BITS) for value in op.exponentials]
    pairs = {terms[a] + terms[b]: (a, b) for a in range(len(terms)) for b in range(a, len(terms))}
    source = random.Random(SEED)
    most = op.depth * terms[0]
    wanted = [*_powers(terms[0], most), *_critical(op.exponentials, terms[0], most)]
    rows: list[bytes] = []
    for total, distance in wanted:
        row = _row(terms, pairs, total, distance, op.depth, source)
        if row is not None and len(rows) < MOST:
            rows.append(bytes((HIGHEST - one) % 256 for one in row) * (op.x.elements // op.depth))
    return tuple(rows)


def _two(distance: int) -> bytes:
    """The greater one is the first of every second distance."""
    row = bytes((HIGHEST, (HIGHEST - distance) % 256))
    return row[:: 1 - 2 * (distance % 2)]


def _powers(least: int, most: int) -> Iterator[tuple[int, int]]:
    """Sums, each with a distance to the maximum that its row has."""
    for bit in range(least.bit_length() - 1, most.bit_length()):
        for total in (1 << bit, (1 << bit) - 1, (1 << bit) + 1):
            if least <= total <= most:
                yield total, 0


def _critical(exponentials: Sequence[int], least: int, most: int) -> list[tuple[int, int]]:
    """Sums and distances of which the share is NEAR to where it would become another byte. For each distance and byte
    the sum of that share is known but for a few."""
    import numpy as np

    numbers = np.array(exponentials, np.int64)
    shares = np.arange(256) + 0.5
    ideal = np.floor((numbers[:, None] >> SUM_BITS) * 256 / shares).astype(np.int64)
    sums = ideal[:, :, None] + np.arange(-NEAR, NEAR + 1)
    inside = (sums >= least) & (sums <= most)
    distances, sums = np.nonzero(inside)[0], sums[inside]
    headroom = 32 - np.frexp(sums.astype(np.float64))[1].astype(np.int64)
    scale = _reciprocal((sums << headroom) - (1 << 31))
    product = _multiply(scale, numbers[distances])
    bits = SUM_BITS - headroom + SHARE_BITS
    half = np.left_shift(1, bits - 1)
    near = np.abs((product & (2 * half - 1)) - half) <= NEAR
    return list(dict.fromkeys(zip(sums[near].tolist(), distances[near].tolist(), strict=True)))


def _multiply(a: Array, b: Array | int) -> Array:
    """fixed_point.doubling_high_multiply of many, none of them INT32_MIN."""
    return (a * b + (1 << 30)) >> 31


def _reciprocal(fraction: Array) -> Array:
    """fixed_point.one_over_one_plus of many."""
    half = (fraction + (1 << 31)) >> 1
    x = RECIPROCAL_START + _multiply(half, RECIPROCAL_SLOPE)
    for _ in range(3):
        x = x + 4 * _multiply(x, (1 << 29) - _multiply(half, x))
    return (2 * x).clip(max=(1 << 31) - 1)


def _row(
    terms: Sequence[int],
    pairs: dict[int, tuple[int, int]],
    total: int,
    distance: int,
    depth: int,
    source: random.Random,
) -> list[int] | None:
    """Distances to the maximum, 0 and `distance` among them, whose terms have that sum."""
    fixed = [0, distance] if distance else [0]
    rest = total - sum(terms[one] for one in fixed)
    for _ in range(TRIES if rest >= 0 else 0):
        # Few of them near the maximum where the sum is small: the rest would be below 0.
        near = source.randrange(len(terms))
        others = [source.randrange(near, len(terms)) for _ in range(depth - len(fixed) - 2)]
        found = pairs.get(rest - sum(terms[one] for one in others))
        if found is not None:
            row = [*fixed, *others, *found]
            source.shuffle(row)
            return row
    return None
