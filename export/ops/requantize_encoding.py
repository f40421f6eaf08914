# SPDX-License-Identifier: Apache-2.0
"""How a multiplier and a shift are written for firmware/lib/engine/kernels/requantize.h."""

from __future__ import annotations


def encode_multiplier(multiplier: int) -> int:
    """2 * multiplier - 2^32: an int32 for every multiplier in [2^30, 2^31), which leaves the kernel one multiply."""
    if not 2**30 <= multiplier < 2**31:
        raise ValueError(f"multiplier {multiplier} is not normalized")
    return 2 * multiplier - 2**32


def encode_shift(shift: int) -> int:
    """-1 - shift: right shifts count from 0, left shifts and none are negative."""
    return -1 - shift


def encode(multiplier: int, shift: int) -> tuple[int, int]:
    """Both. A multiplier of 0, a factor below 2^-32, becomes 2^-32: 0 for all accumulators below 2^31."""
    return (encode_multiplier(multiplier), encode_shift(shift)) if multiplier else (encode_multiplier(2**30), 30)


def factor(number: str, encoded: tuple[int, int]) -> dict[str, int]:
    """The members of a parameter struct: `multiplier<number>` and `shift<number>`."""
    return {f"multiplier{number}": encoded[0], f"shift{number}": encoded[1]}
