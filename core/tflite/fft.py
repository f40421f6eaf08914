# SPDX-License-Identifier: Apache-2.0
"""What an FFT of TFLite Micro's signal operators consists of, before any number goes through it: radices, roots of
unity and the order of its inputs, as KISS FFT 130 chooses them."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_LENGTH = 1 << 16  # of real samples: half as many places fit 16 bits
RADICES = (2, 3, 4, 5)  # for others KISS FFT needs a heap


@dataclass(frozen=True)
class Stage:
    """`radix` transforms of `size` become one, in `blocks` blocks; roots are `blocks` apart."""

    radix: int
    size: int
    blocks: int


def radices(length: int) -> list[int]:
    """4 as often as it divides the length, then 2, then odd numbers up to its root; what is left is one more."""
    found, radix, left = [], 4, length
    while True:
        while left % radix:
            radix = {4: 2, 2: 3}.get(radix, radix + 2)
            if radix > math.isqrt(length):
                radix = left
        left //= radix
        found.append(radix)
        if left <= 1:
            return found


def stages(length: int) -> list[Stage]:
    """In the order in which they run."""
    found, blocks, size = [], 1, length
    for radix in radices(length):
        size //= radix
        found.append(Stage(radix, size, blocks))
        blocks *= radix
    return found[::-1]


def input_order(length: int) -> list[int]:
    """The number of the input that begins in each place."""
    order, step = [0], length
    for stage in stages(length):
        step //= stage.radix
        order = [start + step * digit for digit in range(stage.radix) for start in order]
    return order


def roots(length: int, bits: int, *, inverse: bool) -> list[tuple[int, int]]:
    """exp(-2 pi i k / length), or of the opposite angle, as real and imaginary parts."""
    sign = 2 if inverse else -2
    return [_unit(sign * math.pi * k / length, bits) for k in range(length)]


def real_roots(length: int, bits: int, *, inverse: bool) -> list[tuple[int, int]]:
    """What takes two interleaved halves of a real signal apart, or together again; `length`: of each half."""
    sign = 1 if inverse else -1
    return [_unit(sign * math.pi * ((k + 1) / length + 0.5), bits) for k in range(length // 2)]


def _unit(phase: float, bits: int) -> tuple[int, int]:
    one = (1 << (bits - 1)) - 1
    return math.floor(0.5 + one * math.cos(phase)), math.floor(0.5 + one * math.sin(phase))
