# SPDX-License-Identifier: Apache-2.0
"""Reciprocals as TFLite Micro's DIV of int8 has them (GetReciprocal in tensorflow/lite/kernels/internal/common.h)."""

from __future__ import annotations

from functools import cache

from tinyproof.core.tflite.fixed_point import one_over_one_plus

# By 0: on every machine its formula goes around 2^32 to the same number, and its shift to the same side.
_OF_ZERO = (-1515870788, -1)


@cache
def reciprocal(magnitude: int) -> tuple[int, int]:
    """(r, shift) with 1 / magnitude = r * 2**(-31 - shift)."""
    if magnitude == 0:
        return _OF_ZERO
    bits = magnitude.bit_length()
    return one_over_one_plus((magnitude << (32 - bits)) - 2**31), bits - 1


def headroom(value: int) -> int:
    """How far a number of 32 bits goes to the left before its sign would be lost: CountLeadingSignBits."""
    return 31 - (value if value >= 0 else -1 - value).bit_length()
