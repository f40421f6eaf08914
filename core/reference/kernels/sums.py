# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED, CONV_2D, DEPTHWISE_CONV_2D: bias + sum (x_q - x_zero_point) w_q, rescaled per output channel.

Products of bytes are exact in float64, whose matrix product is fast; sums stay below 2**53.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, rescale
from tinyproof.core.tflite.arithmetic import weight_multipliers


@computes("FULLY_CONNECTED")
def fully_connected(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Rows of the weights' depth, whatever the input's dimensions are."""
    rows = op.centred(x).reshape(-1, weights.shape[1])
    return _finish(op, _matrix_product(rows, weights.T), bias)


@computes("CONV_2D")
def conv_2d(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [output channels, height, width, input channels]."""
    accumulators = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _taps(op, op.centred(x), weights.shape[1:3]):
        accumulators += _matrix_product(seen, weights[:, row, column].T)
    return _finish(op, accumulators, bias)


@computes("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [1, height, width, output channels]; output channel c reads input channel c // depth_multiplier."""
    wide = np.repeat(op.centred(x), op.option("depth_multiplier"), axis=3)
    accumulators = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _taps(op, wide, weights.shape[1:3]):
        accumulators += seen * weights[0, row, column]
    return _finish(op, accumulators, bias)


def _taps(op: BoundOperator, x: Array, kernel: tuple[int, ...]) -> Iterator[tuple[int, int, Array]]:
    """For each place (row, column) of the kernel what it sees for every output; outside of the image that is 0."""
    strides = op.option("stride_h"), op.option("stride_w")
    dilations = op.option("dilation_h_factor", 1), op.option("dilation_w_factor", 1)
    pads = []
    for size, out, extent, stride, dilation in zip(
        x.shape[1:3], op.y.shape[1:3], kernel, strides, dilations, strict=True
    ):
        missing = max((out - 1) * stride + (extent - 1) * dilation + 1 - size, 0)
        pads.append((missing // 2, missing - missing // 2))  # the odd one goes below and right (kernels/padding.h)
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            places = []
            for start, out, stride in zip(
                (row * dilations[0], column * dilations[1]), op.y.shape[1:3], strides, strict=True
            ):
                places.append(slice(start, start + (out - 1) * stride + 1, stride))
            yield row, column, padded[:, places[0], places[1]]


def _matrix_product(a: Array, b: Array) -> Array:
    product: Array = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return product


def _finish(op: BoundOperator, accumulators: Array, bias: Array | None) -> Array:
    if bias is not None:
        accumulators = accumulators + bias
    reals = weight_multipliers(op.x.scales[0], op.inputs[1].scales, op.y.scales[0])
    return op.finish(rescale(accumulators, *reals))
