# SPDX-License-Identifier: Apache-2.0
"""Weights of two output channels in one int16, w = 256 b + a, for firmware/lib/engine/kernels/pairs.h.

A sum over w and a sum over a alone give the sum over b as their difference over 256, exactly modulo 2^32. So nothing is
lost as long as |sum over b| < 2^23, which is proven here from the weights.
"""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[int]

GROUP = 8  # inputs that a kernel takes at a time
ORDER = (0, 2, 1, 3)  # of the weights of each four inputs, as SXTB16 unpacks bytes
MAX_SECOND = 2**23 - 1


def padded_depth(depth: int) -> int:
    """Rows are filled with zero weights up to a multiple of GROUP."""
    return -(-depth // GROUP) * GROUP


def pairable(rows: Sequence[Row], bias: Sequence[int]) -> bool:
    """Whether every pair of rows fits int16, and no second row's sum with any int8 inputs can reach 2^23."""
    for first, second, b in zip(rows[::2], rows[1::2], bias[1::2], strict=False):
        if abs(b) + 128 * sum(map(abs, second)) > MAX_SECOND:
            return False
        if any(b_q == -128 and a_q < 0 for a_q, b_q in zip(first, second, strict=True)):
            return False
    return True


def halves(value: int) -> list[int]:
    """A number of 32 bits as two int16, low half first; modulo 2^32."""
    return [((value >> shift) + 2**15) % 2**16 - 2**15 for shift in (0, 16)]


def pair_rows(first: Row, second: Row, biases: tuple[int, int]) -> list[int]:
    """int16: the sums to begin with, then the weights of both rows."""
    packed = [256 * b + a for a, b in zip(first, second, strict=True)]
    packed += [0] * (padded_depth(len(first)) - len(first))
    weights = [packed[start + place] for start in range(0, len(packed), len(ORDER)) for place in ORDER]
    return [*halves(biases[0]), *halves(biases[0] + 256 * biases[1]), *weights]


def four_rows(rows: Sequence[Row], order: Sequence[int]) -> list[int]:
    """Four rows side by side for firmware/lib/engine/kernels/four_rows.h, filled up with zero weights; `order` is that
    of each four inputs."""
    full = [[*row, *(0,) * (-len(row) % len(order))] for row in rows]
    starts = range(0, len(full[0]), len(order))
    return [row[start + place] for start in starts for row in full for place in order]
