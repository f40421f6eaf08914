# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED of any size and quantization."""

from __future__ import annotations

import math
import random
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


@dataclass(frozen=True)
class Layer:
    """`leading`: dimensions of the input before `depth`; `keep`: the output has them too, else their product. `types`:
    of activations, weights and bias."""

    depth: int
    units: int
    leading: tuple[int, ...] = (1,)
    keep: bool = False
    activation: int = 0
    x: Quantization = (0.05, -3)
    y: Quantization = (0.1, 5)
    weight_scales: tuple[float, ...] = (0.01,)
    bias: bool = True
    lowest: int = -127  # of the weights
    seed: int = 1
    types: tuple[str, str, str] = ("int8", "int8", "int32")
    weight_zero_point: int = 0
    computed: bool = False  # the weights, which are then the second input
    sums: int = 0  # without a bias, of int16: the schema's type of the sums

    def edges(self, extra: int = 3) -> tuple[bytes, ...]:
        """Inputs to try it with."""
        count = (self.rows + self.units * self.computed) * self.depth
        return (edge_words if self.types[0] == "int16" else edge_inputs)(count, self.seed, extra)

    @property
    def rows(self) -> int:
        return math.prod(self.leading)


def build(layer: Layer, outputs: tuple[int, ...] | None = None, **options: Any) -> bytes:
    """The layer as a model of one operator; `outputs` and `options` differ from what follows from it."""
    r = random.Random(layer.seed)
    model = Model()
    kind, weight_kind, bias_kind = layer.types
    source = model.input((*layer.leading, layer.depth), *layer.x, dtype=kind)
    lowest, highest = (-8, 7) if weight_kind == "int4" else (layer.lowest, 127)
    values = [r.randint(lowest, highest) for _ in range(layer.units * layer.depth)]
    shape, scale = (layer.units, layer.depth), layer.weight_scales
    if layer.computed:
        weights = model.input(shape, scale[0], layer.weight_zero_point, weight_kind)
    else:
        weights = model.tensor(shape, scale, layer.weight_zero_point, values, weight_kind)
    bias = -1
    if layer.bias:
        reach = 30_000_000 if bias_kind == "int64" else 3000
        values = [r.randint(-reach, reach) for _ in range(layer.units)]
        bias = model.tensor((layer.units,), layer.x[0] * layer.weight_scales[0], 0, values, bias_kind)
    made = (*layer.leading, layer.units) if layer.keep else (layer.rows, layer.units)
    target = model.tensor(outputs or made, *layer.y, dtype=kind)
    options = {
        "fusedActivationFunction": layer.activation,
        "keepNumDims": layer.keep,
        "quantizedBiasType": layer.sums,
    } | options
    model.add("FULLY_CONNECTED", [source, weights, bias], [target], 4, **options)
    return model.build(target)


@st.composite
def layers(draw: st.DrawFn, kind: str = "int8", weights: str = "int8") -> Layer:
    """Any layer, half of them large and even enough for the pair kernel. The output's scale mostly follows the sums'
    reach, so that answers vary without saturating."""
    if draw(st.booleans()):
        depth, units = 8 * draw(st.integers(4, 20)), 2 * draw(st.integers(8, 12))
    else:
        depth, units = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    leading = draw(st.one_of(st.just((1,)), st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)))
    x = draw(quantizations(1e-2, 0.5))
    unit = draw(scales(1e-3, 0.05))
    seed = draw(seeds)
    r = random.Random(seed)
    count = units if draw(st.booleans()) and weights == "int8" else 1
    weight_scales = tuple(unit * 2.0 ** -r.uniform(0, 3) for _ in range(count))
    if count > 1 and r.random() < 0.1:
        weight_scales = (1e-20, *weight_scales[1:])  # a unit that rounds to nothing
    narrow = kind == "int16" and r.random() < 0.3
    x_rms, y_rms = (75, 50) if kind == "int8" else (19_000, 13_000)
    reach = max(weight_scales) * x[0] * x_rms * (75 if weights == "int8" else 5) * depth**0.5
    choices = [0.7, 1.5, 3.0] if kind == "int8" else [0.2, 0.7, 1.2]  # or a sum could leave TFLite Micro's bits
    scale = reach / y_rms if r.random() < 0.85 or narrow else max(weight_scales) * x[0] / r.choice(choices)
    return Layer(
        depth=depth,
        units=units,
        leading=leading,
        keep=draw(st.booleans()),
        activation=draw(st.sampled_from([0, 0, *ACTIVATIONS])),
        x=x,
        y=(scale, draw(zero_points)),
        weight_scales=weight_scales,
        bias=draw(st.booleans()),
        lowest=draw(st.sampled_from([-127, -127, -128])),
        seed=seed,
        types=(kind, weights, "int32" if kind == "int8" or narrow else "int64"),
        sums=2 if narrow else 4 * r.randint(0, 1),
    )


@st.composite
def cases(draw: st.DrawFn, kind: str = "int8", weights: str = "int8") -> Case:
    layer = draw(layers(kind, weights))
    return Case(str(layer), build(layer), layer.edges(extra=2))


@st.composite
def products(draw: st.DrawFn) -> Case:
    """Weights that are computed, or have a zero point."""
    layer = draw(layers())
    layer = replace(
        layer,
        depth=min(layer.depth, 24),
        weight_scales=(max(layer.weight_scales),),
        weight_zero_point=draw(st.sampled_from([0, 3, -128, 127])),
        computed=draw(st.booleans()),
    )
    return Case(str(layer), build(layer), layer.edges())


# A layer that suits the pair kernel.
PAIRS = Layer(64, 8)

ROWS = [
    Row("FULLY_CONNECTED", "any_layer", cases(), count=20),
    Row("FULLY_CONNECTED", "int4", cases(weights="int4")),
    Row("FULLY_CONNECTED", "int16", cases("int16")),
    Row("FULLY_CONNECTED", "int16_with_dsp_kernels", cases("int16"), prove=assert_bit_exact_with_dsp_kernels),
    Row("FULLY_CONNECTED", "int16_on_cortex_m4", cases("int16"), prove=assert_bit_exact_on_cortex_m4),
    Row("FULLY_CONNECTED", "computed_weights", products()),
    Row("FULLY_CONNECTED", "with_dsp_kernels", cases(), count=60, prove=assert_bit_exact_with_dsp_kernels),
    Row("FULLY_CONNECTED", "with_blocked_kernels", cases(), count=60, prove=assert_bit_exact_with_blocked_kernels),
    Row("FULLY_CONNECTED", "with_mve_kernels", cases(), count=60, prove=assert_bit_exact_with_mve_kernels),
    Row("FULLY_CONNECTED", "on_cortex_m4", cases(), count=25, prove=assert_bit_exact_on_cortex_m4),
    Row("FULLY_CONNECTED", "on_cortex_m55", cases(), count=60, prove=assert_bit_exact_on_cortex_m55),
]
REFUSALS = [
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, activation=4)), "TANH"),
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, y=(1e-13, 0), bias=False)), "rescales"),
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, y=(1e-9, 0), bias=False)), "overflow"),
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, types=("int16", "int8", "int64"), y=(1e-6, 0))), r"2\^7"),
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, types=("int16", "int4", "int64"))), "weights .* int4"),
    Refusal("FULLY_CONNECTED", build(replace(PAIRS, types=("int16", "int8", "int16"))), "int64 or int32"),
    Refusal(
        "FULLY_CONNECTED", build(replace(PAIRS, types=("int8", "int4", "int32"), weight_scales=(0.1,) * 8)), "int4"
    ),
    Refusal(
        "FULLY_CONNECTED", build(replace(PAIRS, types=("int16", "int8", "int64"), computed=True)), "int8 activations"
    ),
    Refusal("FULLY_CONNECTED", build(PAIRS, (1, 7)), "do not fit"),
    Refusal("FULLY_CONNECTED", build(PAIRS, weightsFormat=1), "shuffled"),
]
