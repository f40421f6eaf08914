# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC and TANH, in the fixed-point arithmetic of fixed_point.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes
from tinyproof.core.tflite import fixed_point
from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier, requantize
from tinyproof.core.tflite.sigmoid_table import SIGMOID_TABLE, sigmoid_scaling

_SIGMOID_BITS = 4  # integer bits of the argument


@computes("LOGISTIC")
def logistic(op: BoundOperator, x: Array) -> Array:
    """reference/integer_ops/logistic.h; output scale 1/256, zero point -128. Of int16, between values of a table."""
    if op.x.dtype == "int16":
        x = _scaled(op, x, (0,))
        magnitude = np.abs(x)
        y = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _between(magnitude, 9))
        return np.where(x >= 0, y + 512, (1 << 25) - y + 511) >> 10
    return _sigmoid(op, x, lambda a: fixed_point.rounding_shift_right(fixed_point.logistic(a, _SIGMOID_BITS), 23) - 128)


@computes("TANH")
def tanh(op: BoundOperator, x: Array) -> Array:
    """reference/integer_ops/tanh.h; output scale 1/128, zero point 0. Of int16, between values of a table."""
    if op.x.dtype == "int16":
        x = _scaled(op, x, (0, 1))
        magnitude = np.abs(x)
        y = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _between(magnitude, 8)) - (1 << 23)
        return np.where(x >= 0, y + 128, 127 - y) >> 8
    return _sigmoid(op, x, lambda a: fixed_point.rounding_shift_right(fixed_point.tanh(a, _SIGMOID_BITS), 24))


def _scaled(op: BoundOperator, x: Array, exact_shifts: tuple[int, ...]) -> Array:
    """An int16 input in steps of the table."""
    scaling = sigmoid_scaling(op.x.scales[0], exact_shifts)
    if scaling is None:
        raise OverflowError
    multiplier, shift = scaling
    return (x * multiplier + (1 << shift >> 1)) >> shift


def _between(magnitude: Array, bits: int) -> Array:
    """The table's value with `bits` more bits, by a straight line between two of its places."""
    table = np.array(SIGMOID_TABLE, np.int64)
    place = np.minimum(magnitude >> bits, 254)
    line: Array = (table[place] << bits) + (magnitude & ((1 << bits) - 1)) * (table[place + 1] - table[place])
    return line


def _sigmoid(op: BoundOperator, x: Array, function: Callable[[int], int]) -> Array:
    multiplier, shift = quantize_multiplier(op.x.scales[0] * 2 ** (31 - _SIGMOID_BITS))
    radius = fixed_point.input_radius(_SIGMOID_BITS, shift)

    def answer(centred: int) -> int:
        if abs(centred) >= radius:
            return INT8_MAX if centred > 0 else INT8_MIN
        return min(max(function(requantize(centred, multiplier, shift)), INT8_MIN), INT8_MAX)

    values, places = np.unique(op.centred(x), return_inverse=True)
    return np.array([answer(int(value)) for value in values], np.int64)[places]
