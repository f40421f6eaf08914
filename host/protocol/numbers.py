# SPDX-License-Identifier: Apache-2.0
"""Real numbers as a line carries them: the bits of a float32, and the fewest digits that name one."""

from __future__ import annotations

import struct

from tinyproof.core.tflite.arithmetic import float32


def float_bits(value: float) -> int:
    """IEEE-754 bits of the nearest float32."""
    return int.from_bytes(struct.pack("<f", float32(value)), "little")


def float_from_bits(bits: int) -> float:
    """The float32 whose IEEE-754 bits are `bits`, as replies carry it."""
    return float(struct.unpack("<f", bits.to_bytes(4, "little"))[0])


def shortest(x: float) -> str:
    """The fewest significant digits that name the float32 nearest to `x` and no other; nine always do."""
    value = float32(x)
    for digits in range(1, 9):
        if float32(float(text := f"{value:.{digits}g}")) == value:
            return text
    return f"{value:.9g}"
