# SPDX-License-Identifier: Apache-2.0
"""Small sound models to mutate: between them they hold every kind of operator, so that mutants reach its checks."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from support.tflite_writer import Model


def convolutional() -> bytes:
    """PAD, CONV_2D, DEPTHWISE_CONV_2D, ADD, MAX_POOL_2D, AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX."""
    source = random.Random(5)
    m = Model()
    x = m.input((1, 6, 6, 2), 0.05, 3)
    padded = m.tensor((1, 8, 8, 2), 0.05, 3)
    m.add("PAD", [x, m.tensor((4, 2), values=[0, 0, 1, 1, 1, 1, 0, 0], dtype="int32")], [padded])
    conv = m.tensor((1, 6, 6, 4), 0.08, -5)
    weights = m.tensor((4, 3, 3, 2), 0.01, values=[source.randint(-127, 127) for _ in range(72)])
    bias = m.tensor((4,), 0.0005, values=[source.randint(-900, 900) for _ in range(4)], dtype="int32")
    m.add(
        *("CONV_2D", [padded, weights, bias], [conv], 3),
        padding=1,
        strideW=1,
        strideH=1,
        dilationWFactor=1,
        dilationHFactor=1,
        fusedActivationFunction=1,
    )
    deep = m.tensor((1, 6, 6, 4), 0.08, -5)
    weights = m.tensor((1, 3, 3, 4), 0.02, values=[source.randint(-127, 127) for _ in range(36)])
    bias = m.tensor((4,), 0.0016, values=[source.randint(-900, 900) for _ in range(4)], dtype="int32")
    m.add(
        *("DEPTHWISE_CONV_2D", [conv, weights, bias], [deep], 3),
        padding=0,
        strideW=1,
        strideH=1,
        dilationWFactor=1,
        dilationHFactor=1,
        depthMultiplier=1,
    )
    added = m.tensor((1, 6, 6, 4), 0.12, 2)
    m.add("ADD", [conv, deep], [added], 2)
    pool: dict[str, Any] = {"padding": 1, "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
    pooled = m.tensor((1, 3, 3, 4), 0.12, 2)
    m.add("MAX_POOL_2D", [added], [pooled], 2, **pool)
    averaged = m.tensor((1, 2, 2, 4), 0.12, 2)
    m.add("AVERAGE_POOL_2D", [pooled], [averaged], 2, **{**pool, "strideW": 1, "strideH": 1})
    flat = m.tensor((1, 16), 0.12, 2)
    m.add("RESHAPE", [averaged, m.tensor((2,), values=[1, 16], dtype="int32")], [flat])
    logits = m.tensor((1, 5), 0.1, 1)
    weights = m.tensor((5, 16), 0.02, values=[source.randint(-127, 127) for _ in range(80)])
    m.add("FULLY_CONNECTED", [flat, weights, -1], [logits], 4)
    y = m.tensor((1, 5), 1 / 256, -128)
    m.add("SOFTMAX", [logits], [y], 2, beta=1.0)
    return m.build(y)


def elementwise() -> bytes:
    """LOGISTIC, TANH, MUL, SUB, CONCATENATION, LEAKY_RELU, HARD_SWISH, MEAN, TRANSPOSE."""
    m = Model()
    x = m.input((1, 4, 3, 2), 0.06, -7)
    a = m.tensor((1, 4, 3, 2), 1 / 256, -128)
    m.add("LOGISTIC", [x], [a])
    b = m.tensor((1, 4, 3, 2), 1 / 128, 0)
    m.add("TANH", [x], [b])
    c = m.tensor((1, 4, 3, 2), 0.01, 4)
    m.add("MUL", [a, b], [c], 2)
    d = m.tensor((1, 4, 3, 2), 0.07, -9)
    m.add("SUB", [x, c], [d], 2)
    e = m.tensor((1, 4, 3, 2), 0.07, -9)
    m.add("LEAKY_RELU", [d], [e], 2, alpha=0.3)
    f = m.tensor((1, 4, 3, 2), 0.05, -100)
    m.add("HARD_SWISH", [e], [f])
    g = m.tensor((1, 4, 3, 4), 0.05, -100)
    m.add("CONCATENATION", [f, f], [g], 2, axis=3)
    h = m.tensor((1, 3, 4, 4), 0.05, -100)
    m.add("TRANSPOSE", [g, m.tensor((4,), values=[0, 2, 1, 3], dtype="int32")], [h])
    y = m.tensor((1, 4), 0.05, -100)
    m.add("MEAN", [h, m.tensor((2,), values=[1, 2], dtype="int32")], [y], 2, keepDims=False)
    return m.build(y)


def dense() -> bytes:
    """Three FULLY_CONNECTED layers, like the 1-16-16-1 network of the sine."""
    source = random.Random(3)
    m = Model()
    last = m.input((1, 1), 0.025, -128)
    depth = 1
    for units in (16, 16, 1):
        weights = m.tensor((units, depth), 0.01, values=[source.randint(-127, 127) for _ in range(units * depth)])
        y = m.tensor((1, units), 0.02 * depth, -20)
        m.add("FULLY_CONNECTED", [last, weights, -1], [y], 4, fusedActivationFunction=1)
        last, depth = y, units
    return m.build(last)


def paired() -> bytes:
    """CONV_2D in pairs of channels (an odd number of them), DEPTHWISE_CONV_2D in fours, FULLY_CONNECTED in pairs."""
    source = random.Random(7)

    def weights(shape: tuple[int, ...], scale: float) -> int:
        return m.tensor(shape, scale, values=[source.randint(-127, 127) for _ in range(math.prod(shape))])

    m = Model()
    x = m.input((1, 5, 6, 4), 0.05, 3)
    strides: dict[str, Any] = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    deep = m.tensor((1, 5, 6, 4), 0.06, -128)
    m.add(
        *("DEPTHWISE_CONV_2D", [x, weights((1, 3, 3, 4), 0.01)], [deep], 3),
        **strides,
        depthMultiplier=1,
        fusedActivationFunction=1,
    )
    wide = m.tensor((1, 3, 4, 5), 0.2, 8)
    m.add("CONV_2D", [deep, weights((5, 3, 3, 4), 0.01), -1], [wide], 3, padding=1, **strides)
    conv = m.tensor((1, 3, 4, 6), 0.3, -2)
    m.add("CONV_2D", [wide, weights((6, 1, 1, 5), 0.02), -1], [conv], 3, **strides)
    y = m.tensor((1, 8), 0.9, 1)
    m.add("FULLY_CONNECTED", [conv, weights((8, 72), 0.01), -1], [y], 4)
    return m.build(y)


def shaped() -> bytes:
    """QUANTIZE, SPLIT, RELU, RELU6, EXPAND_DIMS, SQUEEZE, STRIDED_SLICE, PADV2, ADD, DEQUANTIZE; a tensor that is read
    under two names."""
    m = Model()
    m.inputs.append(m.tensor((1, 4, 6), dtype="float32"))
    x = m.tensor((1, 4, 6), 0.05, 3)
    m.add("QUANTIZE", [m.inputs[0]], [x])
    axis = m.tensor((1,), values=[2], dtype="int32")
    a, b = (m.tensor((1, 4, 3), 0.05, 3) for _ in range(2))
    m.add("SPLIT", [axis, x], [a, b], 2, numSplits=2)
    active, six = (m.tensor((1, 4, 3), 0.05, 3) for _ in range(2))
    m.add("RELU", [a], [active], version=2)
    m.add("RELU6", [b], [six], version=2)
    wide = m.tensor((1, 1, 4, 3), 0.05, 3)
    m.add("EXPAND_DIMS", [active, m.tensor((1,), values=[1], dtype="int32")], [wide])
    narrow = m.tensor((4, 3), 0.05, 3)
    m.add("SQUEEZE", [wide], [narrow], squeezeDims=[0, 1])
    cut = m.tensor((1, 2, 3), 0.05, 3)
    ends = [m.tensor((3,), values=values, dtype="int32") for values in ([0, 0, 0], [1, 4, 3], [1, 2, 1])]
    m.add("STRIDED_SLICE", [six, *ends], [cut], 2)
    padded = m.tensor((1, 4, 3), 0.05, 3)
    pairs = m.tensor((3, 2), values=[0, 0, 1, 1, 0, 0], dtype="int32")
    m.add("PADV2", [cut, pairs, m.tensor((1,), 0.05, 3, [7])], [padded], 2)
    finer = m.tensor((1, 4, 3), 0.02, -9)
    m.add("QUANTIZE", [padded], [finer], 2)
    added, total = m.tensor((1, 4, 3), 0.09, 0), m.tensor((1, 4, 3), 0.1, 1)
    m.add("ADD", [narrow, finer], [added], 2)
    m.add("ADD", [added, active], [total], 2)
    y = m.tensor((1, 4, 3), dtype="float32")
    m.add("DEQUANTIZE", [total], [y], 2)
    return m.build(y)


SEEDS = (dense, convolutional, elementwise, paired, shaped)


def write_seeds(folder: Path) -> list[Path]:
    """All of them as files."""
    paths = []
    for make in SEEDS:
        paths.append(folder / f"{make.__name__}.tflite")
        paths[-1].write_bytes(make())
    return paths
