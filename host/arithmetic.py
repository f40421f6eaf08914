# SPDX-License-Identifier: Apache-2.0
"""float32 arithmetic of TFLM's QUANTIZE and DEQUANTIZE in plain Python, so that a check needs no numpy.

A sum, product or quotient of two float32 values computed in float64 and then rounded to float32 is the correctly
rounded float32 result, as 53 >= 2 * 24 + 2 (Figueroa, "When is double rounding innocuous?", 1995).
"""

from __future__ import annotations

import math
import struct


def float32(value: float) -> float:
    """The nearest float32; infinite beyond its range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def float_bits(value: float) -> int:
    """IEEE-754 bits of the nearest float32."""
    return int.from_bytes(struct.pack("<f", float32(value)), "little")


def float_from_bits(bits: int) -> float:
    return float(struct.unpack("<f", bits.to_bytes(4, "little"))[0])


def quantize(x: float, scale: float, zero_point: int) -> tuple[int, bool]:
    """q = clamp(round(x / scale) + zero_point, -128, 127), ties away from zero; and whether it was clamped."""
    quotient = float32(float32(x) / float32(scale))
    quotient = max(-1e6, min(1e6, quotient))  # beyond any int8; keeps infinity out of the rounding
    rounded = math.floor(abs(quotient) + 0.5)  # exact: a float32 plus a half, in float64
    q = int(math.copysign(rounded, quotient)) + zero_point
    return max(-128, min(127, q)), not -128 <= q <= 127


def dequantize(q: int, scale: float, zero_point: int) -> float:
    """y = scale * (q - zero_point) in float32; the difference has at most 9 bits, so the product rounds once."""
    return float32(float32(scale) * (q - zero_point))


def int8s(content: bytes) -> tuple[int, ...]:
    """Bytes of an int8 tensor as numbers."""
    return struct.unpack(f"{len(content)}b", content)


def shortest(x: float) -> str:
    """The fewest significant digits that name the float32 nearest to `x` and no other; nine always do."""
    value = float32(x)
    for digits in range(1, 9):
        if float32(float(text := f"{value:.{digits}g}")) == value:
            return text
    return f"{value:.9g}"
