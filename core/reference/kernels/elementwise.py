# SPDX-License-Identifier: Apache-2.0
"""Operators on one operand that answer element by element; those on more are in binary.py.

Factors between scales are computed in double throughout, as in the pinned wheel: TFLite Micro's source rounds some of
them to float32, but its answers at exact ties tell otherwise (the rows `ties` of tests/support/op_rows).
"""

from __future__ import annotations

import math

import numpy as np

from tinyproof.core.reference.bound_operator import (
    Array,
    BoundOperator,
    computes,
    each,
    multiply,
    rescale,
    rounding_shift_right,
    to_type,
    wrap,
)
from tinyproof.core.tflite import curves
from tinyproof.core.tflite.arithmetic import float32, quantize_multiplier, round_half_away
from tinyproof.core.tflite.dtypes import DTYPES


@computes("QUANTIZE")
def quantize(op: BoundOperator, x: Array) -> Array:
    """From one quantization to another (reference/requantize.h)."""
    return to_type(rescale(op.centred(x), op.x.scales[0] / op.y.scales[0]) + op.y.zero_points[0], op.y.dtype)


@computes("RELU")
def relu(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/activations_common.cc."""
    rescaled = rescale(op.centred(x), op.x.scales[0] / op.y.scales[0])
    return op.finish(np.maximum(rescaled, 0))


@computes("RELU6")
def relu6(op: BoundOperator, x: Array) -> Array:
    """Numbers clamped, never rescaled: input and output have one quantization."""
    zero = op.x.zero_points[0]
    return to_type(np.clip(x, zero, zero + round_half_away(float32(6.0 / op.x.scales[0]))), op.y.dtype)


@computes("LEAKY_RELU")
def leaky_relu(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/leaky_relu_common.cc: one factor for either sign."""
    x_scale, y_scale = op.x.scales[0], op.y.scales[0]
    centred = op.centred(x)
    positive = rescale(centred, x_scale / y_scale)
    negative = rescale(centred, x_scale * op.operator.real_options.get("alpha", 0.0) / y_scale)
    return op.finish(np.where(centred >= 0, positive, negative))


@computes("HARD_SWISH")
def hard_swish(op: BoundOperator, x: Array) -> Array:
    """x min(max(x + 3, 0), 6) / 6 in 16 bits (reference/hard_swish.h)."""
    fine_scale = op.x.scales[0] / 128
    output, output_shift = quantize_multiplier(fine_scale / op.y.scales[0])
    relu_factor, relu_shift = quantize_multiplier(fine_scale / (3.0 / 32768))
    fine = op.centred(x) * 128
    on_output_scale = _multiply_16(fine, output)
    # relu_shift - 1 bits go to the left before the multiplication and one after it, all saturating.
    factor = to_type(fine << max(relu_shift - 1, 0), "int16")
    factor = to_type(_multiply_16(factor, relu_factor) << min(max(relu_shift, 0), 1), "int16")
    factor = (rounding_shift_right(factor, max(-relu_shift, 0)) + 2**15) >> 1
    product = factor * on_output_scale
    towards_zero = np.sign(product) * (np.abs(product) >> 15)
    return op.finish(rounding_shift_right(towards_zero, -output_shift))


def _multiply_16(values: Array, multiplier: int) -> Array:
    """SaturatingRoundingDoublingHighMul of 16 bits, by the upper half of a 31-bit multiplier."""
    return multiply(values, min((multiplier + 2**15) >> 16, DTYPES["int16"].high) << 16, 0)


@computes("ABS")
def absolute(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/elementwise.cc: rescaled where the scales differ. -2^15 without a scale is left as it is."""
    if not op.x.scales:
        return wrap(np.abs(x), 16)
    magnitude = np.abs(op.centred(x))
    if op.x.scales != op.y.scales:
        magnitude = rescale(magnitude, op.x.scales[0] / op.y.scales[0])
    return to_type(magnitude + op.y.zero_points[0], op.y.dtype)


@computes("ELU")
def elu(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/elu.cc, in float32."""
    return op.finish(each(op.centred(x), lambda number: curves.elu(number, op.x.scales[0], op.y.scales[0])))


@computes("RSQRT")
def rsqrt(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/elementwise.cc."""
    factor = quantize_multiplier(1 / (math.sqrt(op.x.scales[0]) * op.y.scales[0]))
    centred = op.centred(x)
    rescaled = op.finish(each(np.maximum(centred, 1), lambda number: curves.rsqrt(number, *factor)))
    answers: Array = np.where(centred <= 0, DTYPES[op.y.dtype].high, rescaled)
    return answers


@computes("LOGICAL_NOT")
def logical_not(op: BoundOperator, x: Array) -> Array:
    return np.asarray(x == 0).astype(np.int64)


@computes("CAST")
def cast(op: BoundOperator, x: Array) -> Array:
    """micro/kernels/cast.cc: the lowest bits, and to bool whether there are any."""
    if op.y.dtype == "bool":
        return np.asarray(x != 0).astype(np.int64)
    return x.astype(op.y.dtype).astype(np.int64)
