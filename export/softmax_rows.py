# SPDX-License-Identifier: Apache-2.0
"""Rows of a SOFTMAX of int8 that no chance brings: their sum of exponentials is a power of two, or next to one.

There the reciprocal is at an end of its format, and the count of leading zeros changes. Of millions of sums these are a
few; two elements of a row are chosen so that it has just that sum.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tinyproof.core.tflite.fixed_point import rounding_shift_right
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.softmax import Softmax

SUM_BITS = 12  # an exponential is Q0.31, the sum has 12 integer bits: reference/softmax.h
MAX_DEPTH = 64  # a longer row is left to chance
TRIES = 400  # for each sum
SEED = 1
HIGHEST = 127


def softmax_rows(op: Op) -> tuple[bytes, ...]:
    """Contents of the whole input, each row the same; none for other operators, and where a row has two elements."""
    if not isinstance(op, Softmax) or op.x.dtype != "int8" or not 2 < op.depth <= MAX_DEPTH:
        return ()
    terms = [rounding_shift_right(value, SUM_BITS) for value in op.exponentials]
    pairs = {terms[a] + terms[b]: (a, b) for a in range(len(terms)) for b in range(a, len(terms))}
    source = random.Random(SEED)
    most = op.depth * terms[0]
    rows = []
    for bit in range(terms[0].bit_length() - 1, most.bit_length()):
        for total in (1 << bit, (1 << bit) - 1, (1 << bit) + 1):
            row = _row(terms, pairs, total, op.depth, source) if terms[0] <= total <= most else None
            if row is not None:
                rows.append(bytes((HIGHEST - distance) % 256 for distance in row) * (op.x.elements // op.depth))
    return tuple(rows)


def _row(
    terms: Sequence[int], pairs: dict[int, tuple[int, int]], total: int, depth: int, source: random.Random
) -> list[int] | None:
    """Distances to the maximum, one of them 0, whose terms have that sum."""
    for _ in range(TRIES):
        # Few of them near the maximum where the sum is small: the rest would be below 0.
        near = source.randrange(len(terms))
        others = [source.randrange(near, len(terms)) for _ in range(depth - 3)]
        found = pairs.get(total - terms[0] - sum(terms[distance] for distance in others))
        if found is not None:
            row = [0, *others, *found]
            source.shuffle(row)
            return row
    return None
