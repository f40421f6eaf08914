# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION along the last dimension, in the arithmetic of fixed_point.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, multiply, to_type
from tinyproof.core.tflite import fixed_point
from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, INT32_MAX, quantize_multiplier, requantize
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.softmax_tables import between, exponential_table, reciprocal_table

_ARGUMENT_BITS = 5  # integer bits of an exponential's argument
_SUM_BITS = 12  # of a sum of exponentials


@computes("SOFTMAX")
def softmax(op: BoundOperator, x: Array) -> Array:
    """reference/softmax.h; the lowest value of int8, or of int16 from int8, is 0."""
    if op.x.dtype == "int16":
        return _wide_softmax(op, x)
    argument, radius = _arguments(op, op.operator.real_options.get("beta", 0.0))
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        distances = [int(distance) for distance in row.max() - row]
        near = {
            distance: fixed_point.exp_on_negative_values(argument(distance), _ARGUMENT_BITS)
            for distance in set(distances)
            if distance <= radius
        }
        rows.append(_shares([near.get(distance) for distance in distances], op.y.dtype))
    return np.array(rows, np.int64)


def _arguments(op: BoundOperator, beta: float) -> tuple[Callable[[int], int], int]:
    """What the exponential of a distance to the maximum is taken of, and the farthest that counts."""
    real = beta * op.x.scales[0] * 2 ** (31 - _ARGUMENT_BITS)
    multiplier, shift = quantize_multiplier(min(real, float(INT32_MAX)))

    def argument(distance: int) -> int:
        return fixed_point.doubling_high_multiply(-distance << shift, multiplier)

    return argument, fixed_point.input_radius(_ARGUMENT_BITS, shift)


def _sum(exponentials: list[int | None]) -> int:
    present = (number for number in exponentials if number is not None)
    return sum(fixed_point.rounding_shift_right(number, _SUM_BITS) for number in present)


def _shares(exponentials: list[int | None], dtype: str) -> list[int]:
    """Each exponential's share of their sum, as the output's type; None is too small to count."""
    total = _sum(exponentials)
    headroom = 32 - total.bit_length()
    reciprocal = fixed_point.one_over_one_plus((total << headroom) - 2**31)
    exponent = _SUM_BITS - headroom + 31 - DTYPES[dtype].bits
    shares = []
    for number in exponentials:
        share = 0
        if number is not None and exponent <= 31:  # beyond it every share rounds to 0
            product = fixed_point.doubling_high_multiply(reciprocal, number)
            share = fixed_point.rounding_shift_right(product, exponent)
        shares.append(min(share + DTYPES[dtype].low, DTYPES[dtype].high))
    return shares


def _wide_softmax(op: BoundOperator, x: Array) -> Array:
    """Of int16: exponentials and the reciprocal of their sum by interpolation between the values of tables."""
    beta = op.operator.real_options.get("beta", 0.0)
    factor = quantize_multiplier(op.x.scales[0] * beta / (10.0 / 65535.0))
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        places = np.clip(multiply(row - row.max(), *factor) + 65535, 0, 65535)
        exponentials = np.array([between(exponential_table(), int(place)) for place in places], np.int64)
        total = int(exponentials.sum())
        zeros = 32 - total.bit_length()
        above = ((total << (zeros - 1)) + (1 << 13) >> 14) - (1 << 16)
        reciprocal = between(reciprocal_table(), min(max(above, 0), 65535))
        rows.append(np.clip((exponentials * reciprocal + (1 << (30 - zeros))) >> (31 - zeros), 0, 32767))
    return np.array(rows, np.int64)


@computes("LOG_SOFTMAX")
def log_softmax(op: BoundOperator, x: Array) -> Array:
    """reference/log_softmax.h; output scale 1/16, zero point 127."""
    argument, radius = _arguments(op, 1.0)
    real = op.x.scales[0] * 2 ** (31 - _ARGUMENT_BITS)
    multiplier, shift = quantize_multiplier(min(real, float(INT32_MAX)))
    backwards = quantize_multiplier((1 << (31 - shift)) / multiplier)
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        distances = [int(distance) for distance in row.max() - row]
        near = (argument(distance) if distance <= radius else None for distance in distances)
        total = _sum([None if a is None else fixed_point.exp_on_negative_values(a, _ARGUMENT_BITS) for a in near])
        log_sum = fixed_point.logarithm(total)
        lowest = max(-radius - 1, requantize(log_sum - 2**31, *backwards))
        rows.append(
            [
                INT8_MIN
                if -distance <= lowest
                else fixed_point.rounding_shift_right(argument(distance) - log_sum, 22) + INT8_MAX
                for distance in distances
            ]
        )
    return to_type(np.array(rows, np.int64), "int8")


@computes("L2_NORMALIZATION")
def l2_normalization(op: BoundOperator, x: Array) -> Array:
    """reference/integer_ops/l2normalization.h, in steps of 1/128."""
    centred = op.centred(x)
    rows = []
    for row in centred.reshape(-1, x.shape[-1]):
        multiplier, shift = fixed_point.inverse_square_root(int((row * row).sum()))
        rows.append(multiply(row, multiplier, 7 - shift))
    return to_type(np.array(rows, np.int64), "int8")
