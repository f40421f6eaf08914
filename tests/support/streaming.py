# SPDX-License-Identifier: Apache-2.0
"""A wake word's net as it streams: some rows of features in, a probability out, and between them layers that keep the
last rows of what they saw."""

from __future__ import annotations

import math
import random
from typing import Any

from support.tflite_writer import Model, Subgraph

FEATURES, ROWS, CHANNELS = 16, 3, 16
ZERO_POINT = -3
WINDOW = 12  # rows that the last layer sees
VALID = 1


class StreamingNet:
    """int8 [1, 3, 16] in, uint8 [1, 1] out."""

    def __init__(self, seed: int, channels: int = CHANNELS, *, silent: bool = False) -> None:
        """`silent`: the past before the first frame is zeros, otherwise random numbers."""
        self._channels, self._silent = channels, silent
        self._random = random.Random(seed)
        self._model = Model()
        self._start = self._model.subgraph()

    def build(self) -> bytes:
        """A convolution over time with a stride of all new rows, two of depth and width, and a window at the end."""
        model = self._model
        model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
        source = model.input((1, ROWS, FEATURES), 0.1, ZERO_POINT)
        x = self._reshaped(source, (1, ROWS, 1, FEATURES))
        x = self._convolved(self._kept(x, 2), (self._channels, ROWS + 2, 1, FEATURES), ROWS)
        for rows in (4, 8):
            deep = self._tensor((1, 1, 1, self._channels))
            operands = [self._kept(x, rows), *self._weights((1, rows + 1, 1, self._channels), self._channels)]
            strides: dict[str, Any] = {"strideH": 1, "strideW": 1, "depthMultiplier": 1, "padding": VALID}
            model.add("DEPTHWISE_CONV_2D", operands, [deep], **strides)
            x = self._convolved(deep, (self._channels, 1, 1, self._channels), 1)
        flat = self._reshaped(self._kept(x, WINDOW - 1), (1, WINDOW * self._channels))
        level, p = self._tensor((1, 1)), model.tensor((1, 1), 1 / 256, -128)
        model.add("FULLY_CONNECTED", [flat, *self._weights((1, WINDOW * self._channels), 1)], [level])
        model.add("LOGISTIC", [level], [p])
        output = model.tensor((1, 1), 1 / 256, 0, dtype="uint8")
        model.add("QUANTIZE", [p], [output])
        return model.build(output)

    def _tensor(self, shape: tuple[int, ...]) -> int:
        return self._model.tensor(shape, 0.1, ZERO_POINT)

    def _constant(self, *values: int) -> int:
        return self._model.tensor((len(values),), values=values, dtype="int32")

    def _weights(self, shape: tuple[int, ...], units: int) -> list[int]:
        """Weights and biases."""
        r, scale = self._random, 2.0 / (math.prod(shape) / units) ** 0.5 / 64
        values = [r.randrange(-127, 128) for _ in range(math.prod(shape))]
        biases = [r.randrange(-500, 500) for _ in range(units)]
        return [
            self._model.tensor(shape, scale, 0, values),
            self._model.tensor((units,), 0.1 * scale, 0, biases, "int32"),
        ]

    def _reshaped(self, x: int, shape: tuple[int, ...]) -> int:
        result = self._tensor(shape)
        self._model.add("RESHAPE", [x, self._constant(*shape)], [result])
        return result

    def _convolved(self, x: int, weights: tuple[int, ...], stride: int) -> int:
        result = self._tensor((1, 1, 1, self._channels))
        operands = [x, *self._weights(weights, self._channels)]
        self._model.add(
            "CONV_2D", operands, [result], strideH=stride, strideW=1, padding=VALID, fusedActivationFunction=1
        )
        return result

    def _kept(self, x: int, rows: int) -> int:
        """The last `rows` rows before x and then x; the last ones are kept again."""
        new, channels = self._model.tensors[x].shape[1], self._model.tensors[x].shape[3]
        name = f"state {len(self._start.operators)}"
        first = [ZERO_POINT if self._silent else self._random.randrange(-128, 128) for _ in range(rows * channels)]
        value = self._start.tensor((1, rows, 1, channels), 0.1, ZERO_POINT, first)
        self._start.add("ASSIGN_VARIABLE", [self._handle(self._start, name), value], [])
        handle = self._handle(self._model, name)
        old, whole, last = (self._tensor((1, count, 1, channels)) for count in (rows, rows + new, rows))
        self._model.add("READ_VARIABLE", [handle], [old])
        self._model.add("CONCATENATION", [old, x], [whole], axis=1)
        places = [self._constant(0, new, 0, 0), self._constant(1, rows + new, 1, channels), self._constant(1, 1, 1, 1)]
        self._model.add("STRIDED_SLICE", [whole, *places], [last])
        self._model.add("ASSIGN_VARIABLE", [handle, last], [])
        return whole

    @staticmethod
    def _handle(graph: Subgraph, name: str) -> int:
        found = graph.tensor((), dtype="resource")
        graph.add("VAR_HANDLE", [], [found], container="", sharedName=name)
        return found
