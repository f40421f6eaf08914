# SPDX-License-Identifier: Apache-2.0
"""SVDF of any size and scales, with a state of int8 and of int16, over several inferences."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, assert_bit_exact_with_dsp_kernels
from support.op_strategies import float32, scales, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

FEATURES, TIMES, BIAS, STATE = 1, 2, 3, 4


@dataclass(frozen=True)
class Layer:
    """`spoils`: operands that are made another way."""

    batches: int = 1
    depth: int = 5
    units: int = 3
    rank: int = 2
    memory: int = 4
    wide: bool = True
    x: tuple[float, int] = (0.05, -3)
    y: tuple[float, int] = (0.1, 4)
    state: tuple[float, int] = (0.01, 0)
    weights: tuple[float, float] = (0.01, 0.001)
    lowest: int = -127
    time_limit: int = 400
    seed: int = 1
    spoils: dict[int, dict[str, Any]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    output: tuple[int, ...] = ()


def build(layer: Layer) -> bytes:
    """The layer as a model of one operator."""
    r = random.Random(layer.seed)
    model = Model()
    filters, kind = layer.units * layer.rank, "int16" if layer.wide else "int8"
    times = [r.randint(-layer.time_limit, layer.time_limit - 1) for _ in range(filters * layer.memory)]
    features = [r.randint(layer.lowest, 127) for _ in range(filters * layer.depth)]
    bias = [r.randint(-3000, 3000) for _ in range(layer.units)]
    operands: dict[int, dict[str, Any]] = {
        FEATURES: {"shape": (filters, layer.depth), "scale": layer.weights[0], "values": features},
        TIMES: {"shape": (filters, layer.memory), "scale": layer.weights[1], "values": times, "dtype": kind},
        BIAS: {
            "shape": (layer.units,),
            "scale": float32(layer.state[0] * layer.weights[1]),
            "values": bias,
            "dtype": "int32",
        },
        STATE: {
            "shape": (layer.batches, filters * layer.memory),
            "scale": layer.state[0],
            "zero_point": layer.state[1],
            "dtype": kind,
            "variable": True,
        },
    }
    source = model.input((layer.batches, layer.depth), *layer.x)
    made = [model.tensor(**{**operands[place], **layer.spoils.get(place, {})}) for place in operands]
    target = model.tensor(layer.output or (layer.batches, layer.units), *layer.y)
    model.add("SVDF", [source, *made], [target], **{"rank": layer.rank, **layer.options})
    return model.build(target)


@st.composite
def layers(draw: st.DrawFn, wide: bool) -> Case:
    limit = 127 if not wide else draw(st.sampled_from([100, 3000, 32767]))
    state = draw(scales(1e-5, 1e-3) if wide else scales(2e-3, 0.1))
    times = draw(st.floats(0.002, 0.05)) if not wide else draw(st.floats(1e-5, 1e-3))
    layer = Layer(
        batches=draw(st.integers(1, 2)),
        depth=draw(st.integers(1, 19)),
        units=draw(st.integers(1, 7)),
        rank=draw(st.integers(1, 3)),
        memory=draw(st.integers(1, 9)),
        wide=wide,
        x=(draw(scales(2e-3, 0.2)), draw(zero_points)),
        # Far enough from what a product of state and weights may be that sums which wrap around are taken.
        y=(float32(state * times * draw(st.floats(4.5, 3000))), draw(zero_points)),
        state=(state, 0 if draw(st.booleans()) else draw(st.integers(-128, 127))),
        weights=(float32(draw(st.floats(0.001, 0.05))), float32(times)),
        lowest=draw(st.sampled_from([-127, -128, 100])),
        time_limit=limit,
        seed=draw(seeds),
        options={"fusedActivationFunction": draw(st.sampled_from([0, 1, 3]))},
    )
    r = random.Random(layer.seed)
    size = layer.batches * layer.depth
    inputs = [b"\x80" * size, b"\x7f" * size, *(r.randbytes(size) for _ in range(8))]
    r.shuffle(inputs)
    return Case(f"{layer}", build(layer), tuple(inputs))


PLAIN = Layer()
ROWS = [
    Row("SVDF", "int16", layers(wide=True), count=40, programs=2),
    Row("SVDF", "int8", layers(wide=False), count=40, programs=2),
    Row("SVDF", "int16_dsp", layers(wide=True), count=30, prove=assert_bit_exact_with_dsp_kernels),
]
REFUSALS = [
    Refusal("SVDF", build(replace(PLAIN, options={"rank": 4})), "rank 4 does not divide 6"),
    Refusal("SVDF", build(replace(PLAIN, options={"rank": 0})), "rank 0 does not divide"),
    Refusal("SVDF", build(replace(PLAIN, spoils={STATE: {"dtype": "int8"}})), "state .* is int8"),
    Refusal("SVDF", build(replace(PLAIN, spoils={STATE: {"shape": (1, 25)}})), "do not fit"),
    Refusal(
        "SVDF", build(replace(PLAIN, spoils={STATE: {"variable": False, "values": [0] * 24}})), "variable of its own"
    ),
    Refusal("SVDF", build(replace(PLAIN, spoils={BIAS: {"scale": 0.5}})), "bias .* has a scale"),
    Refusal("SVDF", build(replace(PLAIN, spoils={FEATURES: {"scale": [0.1] * 6}})), "one scale"),
    Refusal("SVDF", build(replace(PLAIN, output=(1, 4))), "do not fit"),
    Refusal("SVDF", build(replace(PLAIN, weights=(1e7, 0.001))), "overflow 32 bits"),
    Refusal("SVDF", build(replace(PLAIN, y=(1e-7, 0), time_limit=32767)), "overflow 32 bits"),
]
