# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV of any geometry, int8 and 16x8."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from support.cortex_m4 import assert_bit_exact_on_cortex_m4
from support.op_cases import Case, assert_bit_exact_with_dsp_kernels, edge_inputs, edge_words
from support.op_strategies import ACTIVATIONS, Quantization, quantizations, scales, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

SAME, VALID = 0, 1
INT8, INT16, INT16_BIAS = ("int8", "int32"), ("int16", "int64"), ("int16", "int16")


@dataclass(frozen=True)
class Layer:
    """`types` are those of activations and bias; `output` is the output's height and width."""

    shape: tuple[int, int, int, int]  # of the input
    kernel: tuple[int, int] = (3, 3)
    units: int = 4
    output: tuple[int, int] = (6, 6)
    strides: tuple[int, int] = (2, 2)
    padding: int = SAME
    activation: int = 0
    x: Quantization = (0.05, -3)
    y: Quantization = (0.1, 5)
    weight_scales: tuple[float, ...] = (0.01,)
    bias: bool = True
    types: tuple[str, str] = INT8
    seed: int = 1


def build(layer: Layer, depth: int | None = None) -> bytes:
    """The layer as a model of one operator; `depth` is that of the weights where it is not the input's."""
    r = random.Random(layer.seed)
    model = Model()
    kind, bias_kind = layer.types
    source = model.input(layer.shape, *layer.x, dtype=kind)
    target_shape = (layer.shape[0], *layer.output, layer.units)
    shape = model.tensor((4,), values=target_shape, dtype="int32")
    weights_shape = (layer.units, *layer.kernel, depth or layer.shape[3])
    values = [r.randint(-127, 127) for _ in range(math.prod(weights_shape))]
    inputs = [shape, model.tensor(weights_shape, layer.weight_scales, 0, values), source]
    if layer.bias:
        reach = 30_000_000 if bias_kind == "int64" else 3000
        values = [r.randint(-reach, reach) for _ in range(layer.units)]
        inputs.append(model.tensor((layer.units,), layer.x[0] * layer.weight_scales[0], 0, values, bias_kind))
    target = model.tensor(target_shape, *layer.y, dtype=kind)
    model.add(
        *("TRANSPOSE_CONV", inputs, [target], 3),
        padding=layer.padding,
        strideH=layer.strides[0],
        strideW=layer.strides[1],
        fusedActivationFunction=layer.activation,
    )
    return model.build(target)


@st.composite
def layers(draw: st.DrawFn, types: Sequence[tuple[str, str]]) -> Layer:
    """Any layer. Mostly the output is as large as its input makes it; some are larger or smaller."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.sampled_from([SAME, VALID]))
    size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    channels, units = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from(types))
    x = draw(quantizations(1e-2, 0.5))
    unit = draw(scales(1e-3, 0.05))
    seed = draw(seeds)
    r = random.Random(seed)
    output = []
    for n, k, s in zip(size, kernel, strides, strict=True):
        whole = n * s if padding == SAME else (n - 1) * s + max(k, s)
        output.append(max(1, whole + r.choice([0, 0, 0, -1, 1, 3])))
    count = units if draw(st.booleans()) else 1
    weight_scales = tuple(unit * 2.0 ** -r.uniform(0, 3) for _ in range(count))
    if count > 1 and r.random() < 0.1:
        weight_scales = (1e-20, *weight_scales[1:])  # a channel that rounds to nothing
    x_rms, y_rms = (75, 50) if kind[0] == "int8" else (19_000, 13_000)
    reach = max(weight_scales) * x[0] * x_rms * 75 * (math.prod(kernel) * channels) ** 0.5
    scale = reach / y_rms if r.random() < 0.85 else max(weight_scales) * x[0] / r.choice([0.2, 0.7, 1.5])
    return Layer(
        shape=(draw(st.integers(1, 2)), *size, channels),
        kernel=kernel,
        units=units,
        output=(output[0], output[1]),
        strides=strides,
        padding=padding,
        activation=draw(st.sampled_from([0, *ACTIVATIONS])),
        x=x,
        y=(scale, draw(zero_points)),
        weight_scales=weight_scales,
        bias=draw(st.booleans()),
        types=kind,
        seed=seed,
    )


@st.composite
def cases(draw: st.DrawFn, types: Sequence[tuple[str, str]]) -> Case:
    layer = draw(layers(types))
    edges = edge_inputs if layer.types[0] == "int8" else edge_words
    return Case(str(layer), build(layer), edges(math.prod(layer.shape), layer.seed, extra=2))


WIDE_TYPES = [INT16, INT16, INT16_BIAS]
WIDE = cases(WIDE_TYPES)
LAYER = Layer((1, 3, 3, 5))

ROWS = [
    Row("TRANSPOSE_CONV", "int8", cases([INT8])),
    Row("TRANSPOSE_CONV", "int16", WIDE),
    Row("TRANSPOSE_CONV", "int8_with_dsp_kernels", cases([INT8]), prove=assert_bit_exact_with_dsp_kernels),
    Row("TRANSPOSE_CONV", "int16_with_dsp_kernels", WIDE, prove=assert_bit_exact_with_dsp_kernels),
    Row("TRANSPOSE_CONV", "on_cortex_m4", cases([INT8, *WIDE_TYPES]), prove=assert_bit_exact_on_cortex_m4),
]
REFUSALS = [
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, strides=(0, 1))), "strides"),
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, padding=2)), "padding"),
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, activation=4)), "TANH"),
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, y=(1e-13, 0))), "rescales"),
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, y=(1e-9, 0))), "overflow"),
    Refusal("TRANSPOSE_CONV", build(LAYER, depth=4), "weights take 4 channels"),
    Refusal("TRANSPOSE_CONV", build(replace(LAYER, types=("int16", "int32"))), "constant of 4 int64 or int16"),
]
