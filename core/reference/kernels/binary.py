# SPDX-License-Identifier: Apache-2.0
"""Operators on two operands or three, broadcasts included.

Factors between scales are computed in double throughout, as in the pinned wheel: TFLite Micro's source rounds some of
them to float32, but its answers at exact ties tell otherwise (the rows `ties` of tests/support/op_rows).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps

import numpy as np

from tinyproof.core.reference.bound_operator import (
    Array,
    BoundOperator,
    Kernel,
    computes,
    rescale,
    rounding_shift_right,
    to_type,
    wrap,
)
from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.reciprocals import headroom, reciprocal
from tinyproof.core.tflite.schema import ACTIVATIONS

_MORE_BITS = {"int8": 20, "int16": 15}  # of ADD and SUB on the common scale
_SQUARE_BITS = {"int8": 7, "int16": 0}  # of SQUARED_DIFFERENCE, there
_COMPARED_BITS = 8
_INT32_CLAMPS = {"RELU": (0, None), "RELU_N1_TO_1": (-1, 1), "RELU6": (0, 6)}


def broadcasts(*names: str) -> Callable[[Kernel], Kernel]:
    """As computes, for a kernel on operands that broadcast to the output: others are refused before anything is made of
    them, since a file may name two long ones and a small output."""

    def register(kernel: Kernel) -> Kernel:
        @wraps(kernel)  # whose parameters say how many operands it takes
        def checked(op: BoundOperator, *operands: Array | None) -> Array | list[Array]:
            shapes = [operand.shape for operand in operands if operand is not None]
            if len(shapes) != len(operands) or math.prod(np.broadcast_shapes(*shapes)) != op.y.elements:
                raise ValueError
            return kernel(op, *operands)

        computes(*names)(checked)
        return kernel

    return register


def _clamp_int32(op: BoundOperator, values: Array) -> Array:
    low, high = _INT32_CLAMPS.get(ACTIVATIONS[op.option("fused_activation_function")], (None, None))
    return values if low is None else np.clip(values, low, high)


@broadcasts("ADD")
def add(op: BoundOperator, a: Array, b: Array) -> Array:
    """micro/kernels/add_common.cc: both operands on twice the larger scale. An activation fused to an ADD of int32 is
    ignored."""
    if op.y.dtype == "int32":
        return wrap(a + b)
    return _from_common_scale(op, _to_common_scale(op, a, 0) + _to_common_scale(op, b, 1))


@broadcasts("SUB")
def sub(op: BoundOperator, a: Array, b: Array) -> Array:
    """micro/kernels/sub_common.cc: as ADD."""
    if op.y.dtype == "int32":
        return _clamp_int32(op, wrap(a - b))
    return _from_common_scale(op, _to_common_scale(op, a, 0) - _to_common_scale(op, b, 1))


def _twice_the_larger(op: BoundOperator) -> float:
    return 2 * max(tensor.scales[0] for tensor in op.inputs[:2])


def _to_common_scale(op: BoundOperator, values: Array, place: int) -> Array:
    centred = op.centred(values, place) << _MORE_BITS[op.y.dtype]
    return rescale(centred, op.inputs[place].scales[0] / _twice_the_larger(op))


def _from_common_scale(op: BoundOperator, total: Array) -> Array:
    return op.finish(rescale(total, _twice_the_larger(op) / (2 ** _MORE_BITS[op.y.dtype] * op.y.scales[0])))


@broadcasts("MUL")
def mul(op: BoundOperator, a: Array, b: Array) -> Array:
    """micro/kernels/mul_common.cc."""
    if op.y.dtype == "int32":
        return _clamp_int32(op, wrap(a * b))
    real = op.inputs[0].scales[0] * op.inputs[1].scales[0] / op.y.scales[0]
    return op.finish(rescale(op.centred(a, 0) * op.centred(b, 1), real))


@broadcasts("MAXIMUM")
def maximum(op: BoundOperator, a: Array, b: Array) -> Array:
    """reference/maximum_minimum.h: whatever the scales."""
    return np.maximum(a, b)


@broadcasts("MINIMUM")
def minimum(op: BoundOperator, a: Array, b: Array) -> Array:
    return np.minimum(a, b)


@broadcasts("SQUARED_DIFFERENCE")
def squared_difference(op: BoundOperator, a: Array, b: Array) -> Array:
    """micro/kernels/squared_difference.cc."""
    if op.y.dtype == "int32":
        return wrap(wrap(a - b) ** 2)
    bits, twice = _SQUARE_BITS[op.y.dtype], _twice_the_larger(op)
    a, b = (
        rescale(op.centred(values, place) << bits, op.inputs[place].scales[0] / twice)
        for place, values in enumerate((a, b))
    )
    square = rescale((a - b) ** 2, twice * twice / (2 ** (2 * bits) * op.y.scales[0]))
    return to_type(square + op.y.zero_points[0], op.y.dtype)


@broadcasts("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
def compare(op: BoundOperator, a: Array, b: Array) -> Array:
    """reference/comparisons.h: int8 is rescaled before, each operand by its own scale."""
    if op.x.dtype == "int8":
        a, b = (
            rescale(op.centred(values, place) << _COMPARED_BITS, op.inputs[place].scales[0])
            for place, values in enumerate((a, b))
        )
    function = {
        "EQUAL": np.equal,
        "NOT_EQUAL": np.not_equal,
        "GREATER": np.greater,
        "GREATER_EQUAL": np.greater_equal,
        "LESS": np.less,
        "LESS_EQUAL": np.less_equal,
    }[op.operator.name]
    return np.asarray(function(a, b)).astype(np.int64)


@broadcasts("LOGICAL_AND")
def logical_and(op: BoundOperator, a: Array, b: Array) -> Array:
    return np.asarray(np.logical_and(a, b)).astype(np.int64)


@broadcasts("LOGICAL_OR")
def logical_or(op: BoundOperator, a: Array, b: Array) -> Array:
    return np.asarray(np.logical_or(a, b)).astype(np.int64)


@broadcasts("SELECT_V2")
def select(op: BoundOperator, condition: Array, a: Array, b: Array) -> Array:
    """reference/select.h."""
    return np.where(condition != 0, a, b)


@broadcasts("PRELU")
def prelu(op: BoundOperator, x: Array, slopes: Array) -> Array:
    """reference/prelu.h: one factor for what is positive, another for what has a slope."""
    ratio = op.x.scales[0] / op.y.scales[0]
    centred, slopes = np.broadcast_arrays(op.centred(x), op.centred(slopes, 1))
    positive = rescale(np.maximum(centred, 0), ratio)
    negative = rescale(np.minimum(centred, 0) * slopes, op.x.scales[0] * op.inputs[1].scales[0] / op.y.scales[0])
    return to_type(np.where(centred >= 0, positive, negative) + op.y.zero_points[0], op.y.dtype)


@computes("ADD_N")
def add_n(op: BoundOperator, *operands: Array) -> Array:
    """reference/add_n.h: all of one quantization, on twice its scale. The sum begins with what a 0 of the file stands
    for, where it should begin with 0."""
    bits, twice = _MORE_BITS["int8"], 2 * op.x.scales[0]
    terms = [np.zeros_like(operands[0]), *operands]
    total: Array = np.sum([rescale(op.centred(x) << bits, op.x.scales[0] / twice) for x in terms], axis=0)
    return to_type(rescale(total, twice / (2**bits * op.y.scales[0])) + op.y.zero_points[0], op.y.dtype)


@broadcasts("DIV")
def div(op: BoundOperator, a: Array, b: Array) -> Array:
    """reference/div.h: int8 by the divisor's reciprocal; int32 towards 0."""
    if op.y.dtype == "int32":
        if not b.all():
            raise OverflowError
        return _clamp_int32(op, wrap(np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))))
    real = op.inputs[0].scales[0] / (op.inputs[1].scales[0] * op.y.scales[0])
    multiplier, output_shift = quantize_multiplier(real)
    a, b = np.broadcast_arrays(op.centred(a), op.centred(b, 1))
    a, b = np.where(b < 0, -a, a), np.abs(b)
    reciprocals, shifts = (np.vectorize(lambda x, part=part: reciprocal(int(x))[part])(b) for part in (0, 1))
    headrooms = np.vectorize(lambda x: headroom(int(x)))(a)
    quotient = ((a << headrooms) * reciprocals + 2**30) >> 31
    exponents = shifts + headrooms - output_shift
    if exponents.min() < 0 or exponents.max() > 31:
        raise OverflowError
    return op.finish(rounding_shift_right((quotient * multiplier + 2**30) >> 31, exponents))
