# SPDX-License-Identifier: Apache-2.0
"""The trained detector as a .tflite file that streams: HOP samples of int16 in, a probability of uint8 out.

No converter writes that: each convolution over time becomes one over the last rows, which a resource variable keeps,
and the front end stands before it. Weights are int8 by channel, biases int32; the scales between the layers cover what
the float network showed on calibration clips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyproof.core.tflite.writer import Model, Subgraph
from tinyproof.train.backend import load
from tinyproof.train.wake_word.front_end import CHANNELS, FEATURE_SCALE, FEATURE_ZERO_POINT, add_front_end
from tinyproof.train.wake_word.network import DEPTHS, EDGE_FILTERS, EDGE_ROWS, EDGE_STRIDE, PLACES, WIDTH, WINDOW

_VALID, _RELU = 1, 1  # of the schema
_CALIBRATION_CLIPS = 256


@dataclass(frozen=True)
class Range:
    """A tensor's quantization: real = scale * (q - zero_point)."""

    scale: float
    zero_point: int


def write_streaming(network: Any, x: Any) -> bytes:
    """`network`: as train_network gives it. `x`: features of clips to calibrate with, [clips, frames, CHANNELS]."""
    return _Writer(network, _ranges(network, x[:_CALIBRATION_CLIPS])).write()


def _ranges(network: Any, x: Any) -> dict[str, Range]:
    """Of the output of each layer with weights."""
    _, keras = load()
    names = [layer.name for layer in network.layers if layer.weights]
    outputs = keras.Model(network.input, [network.get_layer(name).output for name in names])(x)
    return {name: _range(np.asarray(output)) for name, output in zip(names, outputs, strict=True)}


def _range(values: Any) -> Range:
    """Zero is exact: it is what the past begins with, and where ReLU cuts."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = float(np.float32(max(high - low, 1e-6) / 255))
    return Range(scale, round(-128 - low / scale))


class _Writer:
    def __init__(self, network: Any, ranges: dict[str, Range]) -> None:
        self._network, self._ranges = network, ranges
        self._model = Model()
        self._start = self._model.subgraph()
        self._kept = 0

    def write(self) -> bytes:
        model = self._model
        model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
        features = Range(FEATURE_SCALE, FEATURE_ZERO_POINT)
        x = self._with_past(add_front_end(model), (CHANNELS, 1), EDGE_ROWS, features)
        x = self._convolved(x, "edges", features, (1, 1, PLACES, EDGE_FILTERS), strideW=EDGE_STRIDE)
        before = self._ranges["edges"]
        x = self._reshaped(x, (1, 1, 1, PLACES * EDGE_FILTERS), before)
        x = self._convolved(x, "mixed_0", before, (1, 1, 1, WIDTH))
        before = self._ranges["mixed_0"]
        for number, rows in enumerate(DEPTHS, start=1):
            x = self._with_past(x, (1, WIDTH), rows, before)
            x = self._moved(x, f"moved_{number}", before)
            x = self._convolved(x, f"mixed_{number}", self._ranges[f"moved_{number}"], (1, 1, 1, WIDTH))
            before = self._ranges[f"mixed_{number}"]
        x = self._with_past(x, (1, WIDTH), WINDOW, before)
        logit = self._fully_connected(self._reshaped(x, (1, WINDOW * WIDTH), before), "word", before)
        probability = model.tensor((1, 1), 1 / 256, -128)
        model.add("LOGISTIC", [logit], [probability])
        output = model.tensor((1, 1), 1 / 256, 0, dtype="uint8")
        model.add("QUANTIZE", [probability], [output])
        return model.build(output)

    def _tensor(self, shape: tuple[int, ...], quantized: Range) -> int:
        return self._model.tensor(shape, quantized.scale, quantized.zero_point)

    def _constant(self, *values: int) -> int:
        return self._model.tensor((len(values),), values=values, dtype="int32")

    def _reshaped(self, x: int, shape: tuple[int, ...], quantized: Range) -> int:
        y = self._tensor(shape, quantized)
        self._model.add("RESHAPE", [x, self._constant(*shape)], [y])
        return y

    def _with_past(self, x: int, row: tuple[int, int], rows: int, quantized: Range) -> int:
        """[1, rows, *row]: the rows before x, which a variable keeps, and x; the last of them are kept again."""
        model, kept = self._model, rows - 1
        name = f"past {self._kept}"
        self._kept += 1
        silence = [quantized.zero_point] * (kept * math.prod(row))
        first = self._start.tensor((1, kept, *row), quantized.scale, quantized.zero_point, silence)
        self._start.add("ASSIGN_VARIABLE", [_handle(self._start, name), first], [])
        handle = _handle(model, name)
        old, whole, last = (self._tensor((1, count, *row), quantized) for count in (kept, rows, kept))
        model.add("READ_VARIABLE", [handle], [old])
        model.add("CONCATENATION", [old, x], [whole], axis=1)
        places = [self._constant(0, 1, 0, 0), self._constant(1, rows, *row), self._constant(1, 1, 1, 1)]
        model.add("STRIDED_SLICE", [whole, *places], [last])
        model.add("ASSIGN_VARIABLE", [handle, last], [])
        return whole

    def _weights(self, name: str, before: Range, *, axis: int) -> list[int]:
        """Tensors of the weights, with a scale for each place along `axis`, and of the biases. Keras's kernels have
        their output channels last (depthwise ones: their only ones before a multiplier of 1)."""
        kernel, bias = (np.asarray(value, np.float64) for value in self._network.get_layer(name).get_weights())
        kernel = kernel[:, :, :, 0][None] if name.startswith("moved") else np.moveaxis(kernel, -1, 0)
        others = tuple(dimension for dimension in range(kernel.ndim) if dimension != axis)
        scales = np.float32(np.maximum(np.abs(kernel).max(others), 1e-6) / 127).astype(np.float64)
        shape = [-1 if dimension == axis else 1 for dimension in range(kernel.ndim)]
        weights = np.clip(np.rint(kernel / scales.reshape(shape)), -127, 127).astype(int)
        biases = np.rint(bias / (scales * before.scale)).astype(int)
        if name == "word":
            weights = weights.reshape(1, -1)
        model = self._model
        return [
            model.tensor(weights.shape, scales.tolist(), 0, weights.reshape(-1).tolist(), axis=axis),
            model.tensor(biases.shape, (scales * before.scale).tolist(), 0, biases.tolist(), "int32"),
        ]

    def _convolved(self, x: int, name: str, before: Range, shape: tuple[int, ...], **strides: int) -> int:
        y = self._tensor(shape, self._ranges[name])
        options: dict[str, Any] = {"strideH": 1, "strideW": 1, "padding": _VALID, **strides}
        self._model.add(
            "CONV_2D", [x, *self._weights(name, before, axis=0)], [y], 3, fusedActivationFunction=_RELU, **options
        )
        return y

    def _moved(self, x: int, name: str, before: Range) -> int:
        y = self._tensor((1, 1, 1, WIDTH), self._ranges[name])
        options: dict[str, Any] = {"strideH": 1, "strideW": 1, "depthMultiplier": 1, "padding": _VALID}
        self._model.add("DEPTHWISE_CONV_2D", [x, *self._weights(name, before, axis=3)], [y], version=3, **options)
        return y

    def _fully_connected(self, x: int, name: str, before: Range) -> int:
        y = self._tensor((1, 1), self._ranges[name])
        self._model.add("FULLY_CONNECTED", [x, *self._weights(name, before, axis=0)], [y], version=4)
        return y


def _handle(graph: Subgraph, name: str) -> int:
    found = graph.tensor((), dtype="resource")
    graph.add("VAR_HANDLE", [], [found], container="", sharedName=name)
    return found
