# SPDX-License-Identifier: Apache-2.0
"""Weights and factors as the kernels for cores with a DSP extension want them; the plain kernels read the same tables.

Two output channels a and b make a pair (firmware/lib/engine/kernels/pairs.h). Their weights of an input are two bytes,
or one number w = 256 b + a. A sum over w and a sum over a alone give the sum over b as their difference over 256,
exactly modulo 2^32. So nothing is lost as long as |sum over b| < 2^23, which is proven here from the weights; biases
are added afterwards. Every pair is one or the other for itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.export.ops.requantize_encoding import encode_shift

Row = Sequence[int]

GROUP = 8  # inputs of int16 that a kernel takes at a time
PAIR_GROUP = 4  # of int8
ORDER = (0, 2, 1, 3)  # of the weights of each four inputs, as SXTB16 unpacks bytes
MAX_SECOND = 2**23 - 1
PAIR_BYTES, PAIR_SHIFTS_LEFT, ROW_SHIFTS_LEFT = 1 << 30, 1 << 29, -(1 << 31)


def padded_depth(depth: int, group: int = GROUP) -> int:
    """Rows are filled with zero weights up to a multiple of `group`."""
    return -(-depth // group) * group


def packable(first: Row, second: Row) -> bool:
    """Whether the numbers 256 b + a fit int16, and the second row's sum with any int8 inputs cannot reach 2^23."""
    fits = all(b_q > -128 or a_q >= 0 for a_q, b_q in zip(first, second, strict=True))
    return fits and 128 * sum(map(abs, second)) <= MAX_SECOND


def pair_weights(first: Row, second: Row, *, numbers: bool | None = None) -> list[int]:
    """int8: two bytes for each input. Of a number 256 b + a the upper byte is b, or b - 1 where a is negative.
    `numbers`: whether they are such; without it, where they can be."""
    borrow = packable(first, second) if numbers is None else numbers
    pairs = [(a, b - (borrow and a < 0)) for a, b in zip(first, second, strict=True)]
    return [byte for start in range(0, len(pairs), len(ORDER)) for place in ORDER for byte in pairs[start + place]]


def pair_scaling(shift: int) -> int:
    """The halving shift of a factor below 1/2; else the shift to the left, and a flag."""
    return encode_shift(shift) if shift < 0 else ROW_SHIFTS_LEFT + (shift << 8)


def halves(value: int) -> list[int]:
    """A number of 32 bits as two int16, low half first; modulo 2^32."""
    return [((value >> shift) + 2**15) % 2**16 - 2**15 for shift in (0, 16)]


def four_rows(rows: Sequence[Row], order: Sequence[int]) -> list[int]:
    """Four rows side by side for firmware/lib/engine/kernels/four_rows.h, filled up with zero weights; `order` is that
    of each four inputs."""
    full = [[*row, *(0,) * (-len(row) % len(order))] for row in rows]
    starts = range(0, len(full[0]), len(order))
    return [row[start + place] for start in starts for row in full for place in order]
