# SPDX-License-Identifier: Apache-2.0
"""TFLite Micro's LOGISTIC and TANH of int16: a table of 256 values and straight lines between them.

Source: tflite-micro, kernels/internal/common.h and reference/integer_ops/{logistic,tanh}.h.
"""

from __future__ import annotations

import math

# sigmoid(i / 24) in 0.16 as its authors had it: these are rounded up where they are nearer below.
_ONE_MORE = frozenset(
    (
        *(4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45),
        *(46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255),
    )
)
SIGMOID_TABLE = tuple(round(65536 / (1 + math.exp(-i / 24))) + (i in _ONE_MORE) for i in range(256))
_INPUT_STEPS = 3.0 * 4096  # of the scaled input of LOGISTIC and TANH, per unit
SIGMOID_LAST, TANH_LAST = 0x7FFF << 10, 0xFFFF << 8  # where the argument's size is beyond the table


def scaled(x: int, multiplier: int, shift: int) -> int:
    """The argument in 1 / 24 of a step of the table; ties toward +infinity."""
    return (x * multiplier + ((1 << shift) >> 1)) >> shift


def sigmoid(t: int) -> int:
    """0.15 of an argument that is `scaled`, 512 to a step of the table."""
    place, part = abs(t) >> 9, abs(t) & 511
    if place >= 255:
        result = SIGMOID_LAST
    else:
        result = (SIGMOID_TABLE[place] << 9) + part * (SIGMOID_TABLE[place + 1] - SIGMOID_TABLE[place])
    return (result + 512 if t >= 0 else (1 << 25) - result + 511) >> 10


def tanh(t: int) -> int:
    """0.15, too, with 256 to a step of the table."""
    place, part = abs(t) >> 8, abs(t) & 255
    if place >= 255:
        result = TANH_LAST
    else:
        result = (SIGMOID_TABLE[place] << 8) + part * (SIGMOID_TABLE[place + 1] - SIGMOID_TABLE[place])
    return (result - (1 << 23) + 128 if t >= 0 else -result + (1 << 23) + 127) >> 8


def sigmoid_scaling(scale: float, exact_shifts: tuple[int, ...]) -> tuple[int, int] | None:
    """(multiplier, shift to the right) of an int16 input; None where its scale is too large, or so small that
    the multiplier becomes 0, which TFLite Micro takes for an exact scale.

    A scale of 2^(shift - 12) with a shift among `exact_shifts` needs no rounding.
    """
    logarithm = math.log2(scale)
    power = round(logarithm)
    if abs(logarithm - power) < 1e-3 and power + 12 in exact_shifts:
        return 3 << (power + 12), 0
    multiplier, shift = scale * _INPUT_STEPS, 0
    while multiplier <= 32767 / 2 and shift <= 30:
        multiplier, shift = multiplier * 2, shift + 1
    return (int(multiplier), shift) if 1 <= multiplier < 32768 else None
