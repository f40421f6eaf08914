# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC and TANH, in the fixed-point arithmetic of fixed_point.py."""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, each
from tinyproof.core.tflite import fixed_point, sigmoid_table
from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier, requantize

_SIGMOID_BITS = 4  # integer bits of the argument


@computes("LOGISTIC")
def logistic(op: BoundOperator, x: Array) -> Array:
    """reference/integer_ops/logistic.h; output scale 1/256, zero point -128. Of int16, between values of a table."""
    if op.x.dtype == "int16":
        return _by_table(op, x, sigmoid_table.sigmoid, (0,))
    return _sigmoid(op, x, lambda a: fixed_point.rounding_shift_right(fixed_point.logistic(a, _SIGMOID_BITS), 23) - 128)


@computes("TANH")
def tanh(op: BoundOperator, x: Array) -> Array:
    """reference/integer_ops/tanh.h; output scale 1/128, zero point 0. Of int16, between values of a table."""
    if op.x.dtype == "int16":
        return _by_table(op, x, sigmoid_table.tanh, (0, 1))
    return _sigmoid(op, x, lambda a: fixed_point.rounding_shift_right(fixed_point.tanh(a, _SIGMOID_BITS), 24))


def _by_table(op: BoundOperator, x: Array, function: Callable[[int], int], exact_shifts: tuple[int, ...]) -> Array:
    scaling = sigmoid_table.sigmoid_scaling(op.x.scales[0], exact_shifts)
    if scaling is None:
        raise OverflowError
    return each(x, lambda number: function(sigmoid_table.scaled(number, *scaling)))


def _sigmoid(op: BoundOperator, x: Array, function: Callable[[int], int]) -> Array:
    multiplier, shift = quantize_multiplier(op.x.scales[0] * 2 ** (31 - _SIGMOID_BITS))
    radius = fixed_point.input_radius(_SIGMOID_BITS, shift)

    def answer(centred: int) -> int:
        if abs(centred) >= radius:
            return INT8_MAX if centred > 0 else INT8_MIN
        return min(max(function(requantize(centred, multiplier, shift)), INT8_MIN), INT8_MAX)

    return each(op.centred(x), answer)
