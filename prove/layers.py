# SPDX-License-Identifier: Apache-2.0
"""Linear layers as the .tflite has them: of every output the weights, and the bytes of the arena that they multiply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyproof.core.reference.interpreter import constant
from tinyproof.core.tflite.arithmetic import activation_range, quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.schema import ACTIVATIONS
from tinyproof.prove.symbolic import Integers

SAME = 0


@dataclass(frozen=True)
class LinearLayer:
    """Of every output, in the order of its tensor: its channel, its bias without any zero point folded, and its terms.
    `places` and `weights` are [outputs, terms]; a place is a byte of the input, or -1 where the kernel leaves the
    image. `rescalings`: multiplier, shift, zero point and clamp of each channel."""

    channels: Integers
    biases: Integers
    places: Integers
    weights: Integers
    zero_point: int
    rescalings: list[tuple[int, int, int, int, int]]


def read_layer(graph: Graph, operator: Operator) -> LinearLayer | None:
    """The layer; None for an operator that is none, or not one of int8 with constant weights and no zero point."""
    reader = _READERS.get(operator.name)
    if reader is None:
        return None
    x, weights = (graph.tensors[index] for index in operator.inputs[:2])
    y = graph.tensors[operator.outputs[0]]
    usual = weights.data is not None and not any(weights.zero_points)
    if x.dtype != "int8" or y.dtype != "int8" or weights.dtype not in ("int8", "int4") or not usual:
        return None
    bias = graph.tensors[operator.inputs[2]] if len(operator.inputs) > 2 and operator.inputs[2] != -1 else None
    if bias is not None and (bias.data is None or bias.dtype != "int32"):
        return None
    values = constant(weights)
    places, rows, channels = reader(operator, x, y, values)
    biases = np.zeros(y.shape[-1], np.int64) if bias is None else constant(bias)
    return LinearLayer(channels, biases[channels], places, rows, x.zero_points[0], _rescalings(operator, x, weights, y))


def clamp_of(operator: Operator, y: Tensor) -> tuple[int, int]:
    """What the fused activation leaves of a byte's range."""
    activation = ACTIVATIONS[operator.options.get("fused_activation_function", 0)]
    return activation_range(activation, y.scales[0], y.zero_points[0])


def _rescalings(operator: Operator, x: Tensor, weights: Tensor, y: Tensor) -> list[tuple[int, int, int, int, int]]:
    count = y.shape[-1]
    scales = weights.scales if len(weights.scales) > 1 else weights.scales * count
    clamp = clamp_of(operator, y)
    factors = [quantize_multiplier(x.scales[0] * scale / y.scales[0]) for scale in scales]
    return [(*factor, y.zero_points[0], *clamp) for factor in factors]


Parts = tuple[Integers, Integers, Integers]


def _fully_connected(operator: Operator, x: Tensor, y: Tensor, weights: Integers) -> Parts:
    depth, units = weights.shape[1], weights.shape[0]
    batches = x.elements // depth
    outputs = np.arange(batches * units)
    places = (outputs // units)[:, None] * depth + np.arange(depth)
    return places, weights[outputs % units], outputs % units


def _convolution(operator: Operator, x: Tensor, y: Tensor, weights: Integers) -> Parts:
    taps = taps_of(operator, x, y, weights.shape[1:3])  # [pixels, taps]
    units, depth = weights.shape[0], weights.shape[3]
    groups = x.shape[3] // depth
    rows = weights.reshape(units, -1)
    pixels = len(taps)
    first = np.arange(units) // (units // groups) * depth
    inner = first[:, None] + np.arange(depth)  # [units, depth]
    places = np.where(taps[:, None, :, None] < 0, -1, taps[:, None, :, None] + inner[None, :, None, :])
    channels = np.tile(np.arange(units), pixels)
    return places.reshape(pixels * units, -1), np.tile(rows, (pixels, 1)), channels


def _depthwise(operator: Operator, x: Tensor, y: Tensor, weights: Integers) -> Parts:
    taps = taps_of(operator, x, y, weights.shape[1:3])
    units = weights.shape[3]
    source = np.arange(units) // (units // x.shape[3])
    places = np.where(taps[:, None, :] < 0, -1, taps[:, None, :] + source[None, :, None])
    rows = weights.reshape(-1, units).T
    pixels = len(taps)
    channels = np.tile(np.arange(units), pixels)
    return places.reshape(pixels * units, -1), np.tile(rows, (pixels, 1)), channels


def taps_of(operator: Operator, x: Tensor, y: Tensor, kernel: tuple[int, ...]) -> Integers:
    """[output pixels, taps]: where channel 0 of each tap lies in the input, or -1."""
    options = operator.options
    strides = options["stride_h"], options["stride_w"]
    dilations = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
    axes = []
    for size, out, extent, stride, dilation in zip(x.shape[1:3], y.shape[1:3], kernel, strides, dilations, strict=True):
        reach = (extent - 1) * dilation + 1
        pad = max((out - 1) * stride + reach - size, 0) // 2 if options.get("padding", SAME) == SAME else 0
        at = np.arange(out)[:, None] * stride - pad + np.arange(extent) * dilation
        axes.append(np.where((at >= 0) & (at < size), at, -1))
    rows, columns = axes
    batches, height, width, depth = x.shape
    image = np.arange(batches)[:, None, None, None, None] * height * width
    row, column = rows[None, :, None, :, None], columns[None, None, :, None, :]
    places = np.where((row < 0) | (column < 0), -1, (image + row * width + column) * depth)
    return np.broadcast_to(places, (batches, len(rows), len(columns), *kernel)).reshape(-1, kernel[0] * kernel[1])


_READERS: dict[str, Callable[[Operator, Tensor, Tensor, Integers], Parts]] = {
    "FULLY_CONNECTED": _fully_connected,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
}
