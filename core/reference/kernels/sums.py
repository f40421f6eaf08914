# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED, BATCH_MATMUL and the convolutions: bias + sum (x_q - x_zero_point) w_q, rescaled per channel.

Products of bytes and of int16 are exact in float64, whose matrix product is fast; sums stay below 2**53.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, rescale, rescale_wide
from tinyproof.core.tflite.arithmetic import weight_multipliers

SAME = 0
INT32 = 2  # of the schema's types
TAKE_NARROW_BIAS = ("CONV_2D", "FULLY_CONNECTED")  # for int16


@computes("FULLY_CONNECTED")
def fully_connected(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Rows of the weights' depth, whatever the input's dimensions are. Both zero points count here for int16, too."""
    rows = op.centred(x).reshape(-1, weights.shape[-1])
    weights = op.centred(weights, 1).reshape(-1, weights.shape[-1])[: op.y.shape[-1]]
    return op.finish(_rescale(op, _matrix_product(rows, weights.T), bias))


@computes("CONV_2D")
def conv_2d(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [output channels, height, width, input channels]; of fewer input channels than the input has, each group
    of output channels reads a group of them."""
    depth = weights.shape[3]
    groups = x.shape[3] // depth
    units = weights.shape[0] // groups
    accumulators = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _taps(op, _real(op, x), weights.shape[1:3]):
        for group in range(groups):
            mine = slice(group * units, (group + 1) * units)
            channels = seen[..., group * depth : (group + 1) * depth]
            accumulators[..., mine] += _matrix_product(channels, weights[mine, row, column].T)
    return _finish(op, accumulators, bias)


@computes("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(op: BoundOperator, x: Array, weights: Array, bias: Array | None = None) -> Array:
    """Weights [1, height, width, output channels]; output channel c reads input channel c // depth_multiplier."""
    wide = np.repeat(_real(op, x), op.option("depth_multiplier"), axis=3)
    accumulators = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _taps(op, wide, weights.shape[1:3]):
        accumulators += seen * weights[0, row, column]
    return _finish(op, accumulators, bias)


@computes("TRANSPOSE_CONV")
def transpose_conv(op: BoundOperator, shape: Array, weights: Array, x: Array, bias: Array | None = None) -> Array:
    """Every input pixel adds its product with the weights [output channels, height, width, input channels] to the
    output around it. `shape` says what the output tensor says anyhow."""
    strides = op.option("stride_h"), op.option("stride_w")
    batches, height, width, units = op.y.shape
    kernel = weights.shape[1:3]
    pads = [
        transposed_padding(size, extent, stride, op.option("padding"))
        for size, extent, stride in zip((height, width), kernel, strides, strict=True)
    ]
    # What leaves the image falls into a margin that is cut off.
    reach = [(size - 1) * s + k for size, s, k in zip(x.shape[1:3], strides, kernel, strict=True)]
    margin = [max(r, pad + size) for r, pad, size in zip(reach, pads, (height, width), strict=True)]
    accumulators = np.zeros((batches, *margin, units), np.int64)
    values = x if op.y.dtype == "int16" else op.centred(x, 2)
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            rows = slice(row, row + (x.shape[1] - 1) * strides[0] + 1, strides[0])
            columns = slice(column, column + (x.shape[2] - 1) * strides[1] + 1, strides[1])
            accumulators[:, rows, columns] += _matrix_product(values, weights[:, row, column].T)
    seen = accumulators[:, pads[0] : pads[0] + height, pads[1] : pads[1] + width]
    return _finish(op, seen, bias, x_place=2)


@computes("BATCH_MATMUL")
def batch_matmul(op: BoundOperator, a: Array, b: Array) -> Array:
    """Matrices in the last two dimensions; the others broadcast."""
    a, b = op.centred(a, 0), op.centred(b, 1)
    a = a.swapaxes(-1, -2) if op.option("adj_x") else a
    b = b.swapaxes(-1, -2) if op.option("adj_y") else b
    return op.finish(_rescale(op, _matrix_product(a, b), None))


def transposed_padding(size: int, extent: int, stride: int, padding: int) -> int:
    """What a TRANSPOSE_CONV leaves out of its output's beginning (kernels/padding.h, from the output's size)."""
    rows = -(-size // stride) if padding == SAME else max(size + stride - extent, 0) // stride
    return max((rows - 1) * stride + extent - size, 0) // 2


def _real(op: BoundOperator, x: Array) -> Array:
    """The input without its zero point, which the convolutions ignore for int16."""
    return x if op.x.dtype == "int16" else op.centred(x)


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


def _rescale(op: BoundOperator, accumulators: Array, bias: Array | None, x_place: int = 0) -> Array:
    """Sums of int16 activations have 64 bits, unless a bias of 32 says otherwise.

    Raises TypeError where the input's type is not the output's: of constants nobody else has checked it.
    """
    if op.inputs[x_place].dtype != op.y.dtype:
        raise TypeError
    if bias is not None:
        accumulators = accumulators + bias
    reals = weight_multipliers(op.inputs[x_place].scales[0], op.inputs[1].scales, op.y.scales[0])
    named = op.place(3 if x_place else 2)
    narrow = op.option("quantized_bias_type") == INT32 if named is None else named.dtype == "int32"
    if op.y.dtype == "int8" or (narrow and op.operator.name in TAKE_NARROW_BIAS):
        return rescale(accumulators, *reals)
    return rescale_wide(accumulators, *reals)


def _finish(op: BoundOperator, accumulators: Array, bias: Array | None, x_place: int = 0) -> Array:
    """The convolutions of int16 ignore the output's zero point, but where the activation clamps."""
    values = _rescale(op, accumulators, bias, x_place)
    return op.clamp(values) if op.y.dtype == "int16" else op.finish(values)
