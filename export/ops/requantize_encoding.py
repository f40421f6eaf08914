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
