# SPDX-License-Identifier: Apache-2.0
"""ELU and RSQRT of one number, as TFLite Micro computes them: float32, and fixed point.

Sources: micro/kernels/{elu,elementwise}.cc, tensorflow/lite/kernels/internal/common.h.
"""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import float32, requantize, round_half_away
from tinyproof.core.tflite.fixed_point import (
    INT32_MAX,
    doubling_high_multiply,
    rounding_shift_right,
    saturating_shift_left,
)

_ONE, _THREE_HALVES = 2**28, 2**28 + 2**27  # Q3.28
_HALF_ROOT_OF_TWO = 1518500250  # Q0.31
_RSQRT_BITS = 20  # that keep its result an integer between its two steps


def elu(x: int, x_scale: float, y_scale: float) -> int:
    """The output for a centred input, without its zero point: every step is rounded to float32."""
    real = float32(x_scale * x)
    if real < 0.0:
        real = float32(float32(math.exp(real)) - 1.0)
    return round_half_away(float32(real * float32(1.0 / y_scale)))


def inverse_root(x: int) -> tuple[int, int]:
    """(multiplier, shift) of 1 / sqrt(x): GetInvSqrtQuantizedMultiplierExp, five steps of Newton and Raphson."""
    if x <= 1:
        return INT32_MAX, 0
    shift = 11
    while x >= 2**29:
        x, shift = x // 4, shift + 1
    pairs = (31 - x.bit_length()) // 2 - 1
    shift -= pairs
    argument = (x << 2 * pairs) >> 1
    half = rounding_shift_right(argument, 1)
    y = _ONE
    for _ in range(5):
        cube = saturating_shift_left(doubling_high_multiply(doubling_high_multiply(y, y), y), 6)
        step = doubling_high_multiply(_THREE_HALVES, y) - doubling_high_multiply(half, cube)
        y = saturating_shift_left(step, 3)
    y = doubling_high_multiply(y, _HALF_ROOT_OF_TWO)
    return (y << -shift, 0) if shift < 0 else (y, -shift)


def rsqrt(x: int, multiplier: int, shift: int) -> int:
    """1 / sqrt(x) of a centred input from 1 on, rescaled by the factor between the scales; without a zero point."""
    root, root_shift = inverse_root(x)
    return requantize(requantize(1, root, root_shift + _RSQRT_BITS), multiplier, shift - _RSQRT_BITS)
