# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED, CONV_2D, DEPTHWISE_CONV_2D: bias + sum (x_q - x_zero_point) w_q, rescaled per output channel.

Products of bytes are exact in float64, whose matrix product is fast; sums stay below 2**53.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyproof.core.reference.step import Array, Step, rescale
from tinyproof.core.tflite.arithmetic import weight_multipliers


def fully_connected(step: Step, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Rows of the weights' depth, whatever the input's dimensions are."""
    rows = step.centred(x).reshape(-1, weights.shape[1])
    return _finish(step, _matrix_product(rows, weights.T), bias)


def conv_2d(step: Step, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [output channels, height, width, input channels]."""
    accumulators = np.zeros(step.y.shape, np.int64)
    for row, column, seen in _taps(step, step.centred(x), weights.shape[1:3]):
        accumulators += _matrix_product(seen, weights[:, row, column].T)
    return _finish(step, accumulators, bias)


def depthwise_conv_2d(step: Step, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [1, height, width, output channels]; output channel c reads input channel c // depth_multiplier."""
    wide = np.repeat(step.centred(x), step.option("depth_multiplier"), axis=3)
    accumulators = np.zeros(step.y.shape, np.int64)
    for row, column, seen in _taps(step, wide, weights.shape[1:3]):
        accumulators += seen * weights[0, row, column]
    return _finish(step, accumulators, bias)


def _taps(step: Step, x: Array, kernel: tuple[int, ...]) -> Iterator[tuple[int, int, Array]]:
    """For each place (row, column) of the kernel what it sees for every output; outside of the image that is 0."""
    strides = step.option("stride_h"), step.option("stride_w")
    dilations = step.option("dilation_h_factor", 1), step.option("dilation_w_factor", 1)
    pads = []
    for size, out, extent, stride, dilation in zip(
        x.shape[1:3], step.y.shape[1:3], kernel, strides, dilations, strict=True
    ):
        missing = max((out - 1) * stride + (extent - 1) * dilation + 1 - size, 0)
        pads.append((missing // 2, missing - missing // 2))  # the odd one goes below and right (kernels/padding.h)
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            places = []
            for start, out, stride in zip(
                (row * dilations[0], column * dilations[1]), step.y.shape[1:3], strides, strict=True
            ):
                places.append(slice(start, start + (out - 1) * stride + 1, stride))
            yield row, column, padded[:, places[0], places[1]]


def _matrix_product(a: Array, b: Array) -> Array:
    product: Array = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return product


def _finish(step: Step, accumulators: Array, bias: Array | None) -> Array:
    if bias is not None:
        accumulators = accumulators + bias
    reals = weight_multipliers(step.x.scales[0], step.inputs[1].scales, step.y.scales[0])
    return step.finish(rescale(accumulators, *reals))
