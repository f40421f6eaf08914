# SPDX-License-Identifier: Apache-2.0
"""The two tables of TFLite Micro's SOFTMAX of int16, between whose values it interpolates: exponentials, and
reciprocals of what their sum is above a power of two.

Source: tflite-micro, tensorflow/lite/kernels/internal/common.h, LUTPopulateInt16, in float32 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from tinyproof.core.tflite.arithmetic import float32, round_half_away
from tinyproof.core.tflite.dtypes import DTYPES

STEPS = 512
_LOW, _HIGH = DTYPES["int16"].low, DTYPES["int16"].high
_RANGE = _HIGH - _LOW


@cache
def exponential_table() -> tuple[int, ...]:
    """exp(x) for x from -10 to 0, Q0.15."""
    return _table(float32(10.0 / _RANGE), _HIGH, lambda value: float32(math.exp(value)))


@cache
def reciprocal_table() -> tuple[int, ...]:
    """1 / (1 + x) for x from 0 to 1, Q0.15."""
    return _table(float32(1.0 / _RANGE), _LOW, lambda value: float32(1.0 / float32(1.0 + value)))


def between(table: tuple[int, ...], place: int) -> int:
    """The value at a place in 2^-7 of the table's steps: LUTLookup."""
    base = table[place >> 7]
    return base + (((table[(place >> 7) + 1] - base) * (place & 127) + 64) >> 7)


def _table(scale: float, zero_point: int, function: Callable[[float], float]) -> tuple[int, ...]:
    """513 values, each moved by half of what the line misses between it and the next."""
    first, last = (float32(scale * (end - zero_point)) for end in (_LOW, _HIGH))
    step = float32(float32(last - first) / STEPS)
    half = float32(step / 2)
    output_scale = float32(2.0 / _RANGE)
    width = float32(float32(output_scale * _HIGH) - float32(output_scale * _LOW))
    inverse = float32((_RANGE + 1) / width)

    def scaled(value: float) -> float:
        return float32(function(value) * inverse)

    values = []
    for i in range(STEPS):
        here = float32(first + float32(i * step))
        beyond = float32(first + float32((i + 1) * step))
        sample = round_half_away(scaled(here))
        middle = round_half_away(float32(float32(scaled(beyond) + sample) / 2))
        error = middle - round_half_away(scaled(float32(here + half)))
        values.append(sample - round_half_away(error / 2))
    values.append(round_half_away(scaled(last)))
    return tuple(min(max(value, _LOW), _HIGH) for value in values)
