# SPDX-License-Identifier: Apache-2.0
"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL; along one dimension ARG_MAX, ARG_MIN and CUMSUM."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import (
    Array,
    BoundOperator,
    computes,
    integers,
    multiply,
    rescale,
    to_type,
    wrap,
)
from tinyproof.core.tflite.arithmetic import quantize_multiplier

_CUMSUM_BITS = 20


def _axes(x: Array, axes: Array) -> tuple[int, ...]:
    return tuple({axis % x.ndim for axis in integers(axes.reshape(-1))}) if x.ndim else ()


@computes("MEAN", "SUM")
def total(op: BoundOperator, x: Array, axes: Array) -> Array:
    """MEAN's division is part of the multiplier. Sums wrap (reference/reduce.h, QuantizedMeanOrSum)."""
    over = _axes(x, axes)
    multiplier, shift = quantize_multiplier(op.x.scales[0] / op.y.scales[0])
    if op.operator.name == "MEAN":
        count = int(np.prod([x.shape[axis] for axis in over], dtype=np.int64))
        bits = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << bits) // count, shift - bits
    sums = wrap(op.centred(x).sum(axis=over))
    return to_type(multiply(sums, multiplier, shift) + op.y.zero_points[0], op.y.dtype)


@computes("REDUCE_MAX")
def reduce_max(op: BoundOperator, x: Array, axes: Array) -> Array:
    return np.asarray(x.max(axis=_axes(x, axes)), np.int64)


@computes("REDUCE_ALL")
def reduce_all(op: BoundOperator, x: Array, axes: Array) -> Array:
    """Of bytes that are no bool the lowest bit counts, as in the compiled interpreter."""
    return np.asarray((x & 1).min(axis=_axes(x, axes)), np.int64)


@computes("REDUCE_MIN")
def reduce_min(op: BoundOperator, x: Array, axes: Array) -> Array:
    return np.asarray(x.min(axis=_axes(x, axes)), np.int64)


@computes("ARG_MAX")
def arg_max(op: BoundOperator, x: Array, axis: Array) -> Array:
    """The first of equals (reference/arg_min_max.h)."""
    return np.asarray(x.argmax(axis=int(axis.reshape(-1)[0])), np.int64)


@computes("ARG_MIN")
def arg_min(op: BoundOperator, x: Array, axis: Array) -> Array:
    return np.asarray(x.argmin(axis=int(axis.reshape(-1)[0])), np.int64)


@computes("CUMSUM")
def cumsum(op: BoundOperator, x: Array, axis: Array) -> Array:
    """Sums begin with what a byte of 0 stands for (reference/cumsum.h)."""
    dimension = int(axis.reshape(-1)[0])
    scaled = rescale(op.centred(x) << _CUMSUM_BITS, 0.5)
    if op.option("reverse"):
        scaled = np.flip(scaled, dimension)
    sums = scaled.cumsum(axis=dimension)
    if op.option("exclusive"):
        sums = sums - scaled
    sums = sums + rescale(np.array([-op.x.zero_points[0] << _CUMSUM_BITS]), 0.5)
    y = rescale(sums, 2 * op.x.scales[0] / (2**_CUMSUM_BITS * op.y.scales[0])) + op.y.zero_points[0]
    return to_type(np.flip(y, dimension) if op.option("reverse") else y, "int8")
