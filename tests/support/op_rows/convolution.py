# SPDX-License-Identifier: Apache-2.0
"""CONV_2D and DEPTHWISE_CONV_2D of any geometry and quantization."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from support.cortex_m4 import assert_bit_exact_on_cortex_m4, assert_bit_exact_on_cortex_m55
from support.op_cases import (
    Case,
    assert_bit_exact_with_blocked_kernels,
    assert_bit_exact_with_dsp_kernels,
    assert_bit_exact_with_mve_kernels,
    edge_inputs,
    edge_words,
)
from support.op_strategies import ACTIVATIONS, Quantization, quantizations, scales, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

SAME, VALID = 0, 1


@dataclass(frozen=True)
class Layer:
    """`units` counts output channels; `multiplier` is 0 for CONV_2D, else that of a depthwise layer. `types` are those
    of activations, weights and bias; `groups` of input channels belong to as many of output channels."""

    shape: tuple[int, int, int, int]  # of the input
    kernel: tuple[int, int] = (3, 3)
    units: int = 4
    multiplier: int = 0
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    padding: int = SAME
    activation: int = 0
    x: Quantization = (0.05, -3)
    y: Quantization = (0.1, 5)
    weight_scales: tuple[float, ...] = (0.01,)
    bias: bool = True
    bias_named: bool = False  # without a bias: there is an input for it nevertheless
    lowest: int = -127  # of the weights
    seed: int = 1
    types: tuple[str, str, str] = ("int8", "int8", "int32")
    groups: int = 1
    axis: int | None = None  # of the weights' scales, where it is not the output channels'
    sums: int = 0  # without a bias, of int16: the schema's type of the sums
    dead: int = 0  # so many output channels have scales next to nothing and biases of 29 bits

    def edges(self, extra: int = 3) -> tuple[bytes, ...]:
        """Inputs to try it with."""
        return (edge_words if self.types[0] == "int16" else edge_inputs)(math.prod(self.shape), self.seed, extra)

    @property
    def depth(self) -> int:
        """Weights of one output channel."""
        return math.prod(self.kernel) * (1 if self.multiplier else self.shape[3])

    def outputs(self) -> tuple[int, int, int, int]:
        sizes = []
        for size, k, s, d in zip(self.shape[1:3], self.kernel, self.strides, self.dilations, strict=True):
            sizes.append(-(-size // s) if self.padding == SAME else -(-(size - (k - 1) * d) // s))
        return (self.shape[0], sizes[0], sizes[1], self.units)


def build(layer: Layer, output: Sequence[int] | None = None) -> bytes:
    """The layer as a model of one operator."""
    model = Model()
    source = model.input(layer.shape, *layer.x, dtype=layer.types[0])
    return model.build(add(model, source, layer, output))


def add(model: Model, source: int, layer: Layer, output: Sequence[int] | None = None) -> int:
    """The layer behind tensor `source`; returns its output."""
    r = random.Random(layer.seed)
    kind, weight_kind, bias_kind = layer.types
    shape = (layer.units, *layer.kernel, layer.shape[3] // layer.groups)
    shape = (1, *layer.kernel, layer.units) if layer.multiplier else shape
    lowest, highest = (-8, 7) if weight_kind == "int4" else (layer.lowest, 127)
    values = [r.randint(lowest, highest) for _ in range(math.prod(shape))]
    dead = r.sample(range(layer.units), min(layer.dead, layer.units))
    weight_scales = list(layer.weight_scales)
    if dead:  # as training leaves them: a weight's step is far below what anybody sees, and the bias is not
        weight_scales = [s * (1e-5 if unit in dead else 1) for unit, s in enumerate(weight_scales * layer.units)]
        weight_scales = weight_scales[: layer.units]
    axis = (3 if layer.multiplier else 0) if layer.axis is None else layer.axis
    weights = model.tensor(shape, weight_scales, 0, values, weight_kind, axis=axis)
    inputs = [source, weights]
    if layer.bias:
        reach = 30_000_000 if bias_kind == "int64" else 3000
        values = [r.randint(-reach, reach) for _ in range(layer.units)]
        for unit in dead:
            values[unit] = r.choice([-1, 1]) * r.randint(2**28, 2**29)
        inputs.append(model.tensor((layer.units,), layer.x[0] * layer.weight_scales[0], 0, values, bias_kind, axis=9))
    elif layer.bias_named:
        inputs.append(-1)
    target = model.tensor(tuple(output or layer.outputs()), *layer.y, dtype=kind)
    options: dict[str, Any] = {
        "padding": layer.padding,
        "strideH": layer.strides[0],
        "strideW": layer.strides[1],
        "dilationHFactor": layer.dilations[0],
        "dilationWFactor": layer.dilations[1],
        "fusedActivationFunction": layer.activation,
    }
    if layer.multiplier:
        options["depthMultiplier"] = layer.multiplier
        model.add("DEPTHWISE_CONV_2D", inputs, [target], **options)
    else:
        options["quantizedBiasType"] = layer.sums
        model.add("CONV_2D", inputs, [target], **options)
    return target


@st.composite
def layers(draw: st.DrawFn, depthwise: bool, kind: str = "int8", weights: str = "int8") -> Layer:
    """Any layer. The output's scale mostly follows the sums' reach, so that answers vary without saturating."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilations = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.sampled_from([SAME, VALID]))
    least = [(k - 1) * d + 1 if padding == VALID else 1 for k, d in zip(kernel, dilations, strict=True)]
    size = [draw(st.integers(low, low + 6)) for low in least]
    channels = draw(st.one_of(st.integers(1, 9), st.sampled_from([4, 8, 12, 16])))
    groups = draw(st.sampled_from([1, 1, 1, 2])) if channels % 2 == 0 and not depthwise else 1
    multiplier = draw(st.sampled_from([1, 1, 1, 2, 3])) if depthwise else 0
    units = channels * multiplier if depthwise else groups * draw(st.integers(1, 9))
    x = draw(quantizations(1e-2, 0.5))
    unit = draw(scales(1e-3, 0.05))
    count = units if draw(st.booleans()) else 1
    seed = draw(seeds)
    r = random.Random(seed)
    weight_scales = tuple(unit * 2.0 ** -r.uniform(0, 3) for _ in range(count))
    if count > 1 and r.random() < 0.1:
        weight_scales = (1e-20, *weight_scales[1:])  # a channel that rounds to nothing
    narrow = kind == "int16" and not depthwise and r.random() < 0.3
    dead = r.choice([0, 0, 1, 3]) if kind == "int8" and weights == "int8" else 0
    depth = math.prod(kernel) * (1 if depthwise else channels)
    x_rms, y_rms = (75, 50) if kind == "int8" else (19_000, 13_000)
    reach = max(weight_scales) * x[0] * x_rms * (75 if weights == "int8" else 5) * depth**0.5
    choices = [0.7, 1.5, 3.0] if kind == "int8" else [0.2, 0.7, 1.2]  # or a sum could leave TFLite Micro's bits
    scale = reach / y_rms if r.random() < 0.85 or narrow else max(weight_scales) * x[0] / r.choice(choices)
    return Layer(
        shape=(draw(st.integers(1, 2)), size[0], size[1], channels),
        kernel=kernel,
        units=units,
        multiplier=multiplier,
        strides=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        dilations=dilations,
        padding=padding,
        activation=draw(st.sampled_from([0, *ACTIVATIONS])),
        x=x,
        y=(scale, draw(zero_points)),
        weight_scales=weight_scales,
        types=(kind, weights, "int32" if kind == "int8" or narrow else "int64"),
        groups=groups,
        sums=2 if narrow else 4 * r.randint(0, 1),
        bias=draw(st.booleans()),
        bias_named=not depthwise and r.random() < 0.5,
        lowest=draw(st.sampled_from([-127, -127, -128])),
        seed=seed,
        dead=dead,
    )


@st.composite
def cases(draw: st.DrawFn, depthwise: bool, kind: str = "int8", weights: str = "int8") -> Case:
    layer = draw(layers(depthwise, kind, weights))
    return Case(str(layer), build(layer), layer.edges(extra=2))


# Layers that suit the kernels for the DSP extension.
PAIRS = Layer((1, 6, 5, 8), units=6, y=(0.02, 5))
QUADS = Layer((1, 6, 5, 8), units=8, multiplier=1, y=(0.01, -128), activation=1)
# Changes of the first one, and what the refusal says of each.
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"strides": (0, 1)}, "strides"),
    ({"dilations": (1, -1)}, "dilations"),
    ({"padding": 2}, "padding"),
    ({"activation": 4}, "TANH"),
    ({"y": (1e-13, 0)}, "rescales"),
    ({"y": (1e-9, 0)}, "overflow"),
]

# Changes that make it a layer of int16, and then one that is refused.
WIDE_TYPES = ("int16", "int8", "int64")
WIDE_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"y": (1e-6, 0)}, "2\\^7"),
    ({"y": (1e-5, 0), "types": ("int16", "int8", "int32")}, "overflow 32 bits"),
    ({"types": ("int16", "int4", "int64")}, "weights .* int4"),
    ({"types": ("int16", "int8", "int16")}, "int64 or int32"),
]

CONV, DEPTHWISE = cases(depthwise=False), cases(depthwise=True)
WIDE, WIDE_DEPTHWISE = cases(depthwise=False, kind="int16"), cases(depthwise=True, kind="int16")
ROWS = [
    Row("CONV_2D", "any_layer", CONV),
    Row("CONV_2D", "with_dsp_kernels", CONV, prove=assert_bit_exact_with_dsp_kernels),
    Row("CONV_2D", "with_blocked_kernels", CONV, prove=assert_bit_exact_with_blocked_kernels),
    Row("CONV_2D", "with_mve_kernels", CONV, prove=assert_bit_exact_with_mve_kernels),
    Row("CONV_2D", "on_cortex_m4", CONV, prove=assert_bit_exact_on_cortex_m4),
    Row("CONV_2D", "on_cortex_m55", CONV, prove=assert_bit_exact_on_cortex_m55),
    Row("CONV_2D", "int4", cases(depthwise=False, weights="int4")),
    Row("CONV_2D", "int16", WIDE),
    Row("CONV_2D", "int16_with_dsp_kernels", WIDE, prove=assert_bit_exact_with_dsp_kernels),
    Row("CONV_2D", "int16_on_cortex_m4", WIDE, prove=assert_bit_exact_on_cortex_m4),
    Row("DEPTHWISE_CONV_2D", "any_layer", DEPTHWISE),
    Row("DEPTHWISE_CONV_2D", "int4", cases(depthwise=True, weights="int4")),
    Row("DEPTHWISE_CONV_2D", "int16", WIDE_DEPTHWISE),
    Row("DEPTHWISE_CONV_2D", "int16_with_dsp_kernels", WIDE_DEPTHWISE, prove=assert_bit_exact_with_dsp_kernels),
    Row("DEPTHWISE_CONV_2D", "int16_on_cortex_m4", WIDE_DEPTHWISE, prove=assert_bit_exact_on_cortex_m4),
    Row("DEPTHWISE_CONV_2D", "with_dsp_kernels", DEPTHWISE, count=100, prove=assert_bit_exact_with_dsp_kernels),
    Row("DEPTHWISE_CONV_2D", "with_blocked_kernels", DEPTHWISE, prove=assert_bit_exact_with_blocked_kernels),
    Row("DEPTHWISE_CONV_2D", "with_mve_kernels", DEPTHWISE, prove=assert_bit_exact_with_mve_kernels),
    Row("DEPTHWISE_CONV_2D", "on_cortex_m4", DEPTHWISE, prove=assert_bit_exact_on_cortex_m4),
    Row("DEPTHWISE_CONV_2D", "on_cortex_m55", DEPTHWISE, prove=assert_bit_exact_on_cortex_m55),
]
REFUSALS = [
    *(Refusal("CONV_2D", build(replace(PAIRS, **changes), PAIRS.outputs()), says) for changes, says in CHANGES),
    *(
        Refusal("CONV_2D", build(replace(PAIRS, **{"types": WIDE_TYPES} | changes)), says)
        for changes, says in WIDE_CHANGES
    ),
    Refusal("CONV_2D", build(replace(PAIRS, units=7, groups=2)), "weights take 4 channels"),
    Refusal("CONV_2D", build(replace(PAIRS, weight_scales=(0.1,) * 6, axis=1)), "along another"),
    Refusal("DEPTHWISE_CONV_2D", build(replace(QUADS, types=("int16", "int8", "int32"))), "constant of 8 int64"),
    Refusal("CONV_2D", build(PAIRS, (1, 6, 6, 6)), r"output \[1, 6, 6, 6\] is not"),
    Refusal("DEPTHWISE_CONV_2D", build(replace(QUADS, multiplier=3)), "weights .* times 3"),
    # TFLite Micro ends with a segmentation fault, in an export as on a board.
    Refusal("DEPTHWISE_CONV_2D", build(replace(QUADS, bias=False, bias_named=True)), "give it a bias"),
]
