# SPDX-License-Identifier: Apache-2.0
"""ELU and RSQRT of one number, as TFLite Micro computes them: float32, and fixed point.

Sources: micro/kernels/{elu,elementwise}.cc.
"""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import float32, requantize, round_half_away
from tinyproof.core.tflite.fixed_point import inverse_square_root

RSQRT_BITS = 20  # that keep its result an integer between its two steps


def elu(x: int, x_scale: float, y_scale: float) -> int:
    """The output for a centred input, without its zero point: every step is rounded to float32."""
    real = float32(x_scale * x)
    if real < 0.0:
        real = float32(float32(math.exp(real)) - 1.0)
    return round_half_away(float32(real * float32(1.0 / y_scale)))


def rsqrt(x: int, multiplier: int, shift: int) -> int:
    """1 / sqrt(x) of a centred input from 1 on, rescaled by the factor between the scales; without a zero point."""
    root, right = inverse_square_root(x)
    return requantize(requantize(1, root, RSQRT_BITS - right), multiplier, shift - RSQRT_BITS)
