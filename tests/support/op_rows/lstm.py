# SPDX-License-Identifier: Apache-2.0
"""UNIDIRECTIONAL_SEQUENCE_LSTM of any size and scales, int8 and 16x8, over several inferences."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, assert_bit_exact_with_dsp_kernels
from support.op_strategies import float32, scales, seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

NAME = "UNIDIRECTIONAL_SEQUENCE_LSTM"
TANH = 4
INPUT, HIDDEN, CELL = 0, 18, 19
PEEPHOLE = 9


@dataclass(frozen=True)
class Layer:
    """`weights` are the scales of the input's and of the state's. `spoils`: operands that are made another way."""

    batches: int = 1
    steps: int = 2
    depth: int = 3
    units: int = 4
    wide: bool = False
    major: bool = False
    x: tuple[float, int] = (0.05, -3)
    hidden: tuple[float, int] = (1 / 128, 4)
    weights: tuple[float, float] = (0.01, 0.01)
    cell_power: int = -12
    clip: float = 0.0
    activation: int = TANH
    lowest: int = -127
    seed: int = 1
    spoils: dict[int, dict[str, Any]] = field(default_factory=dict)
    left_out: tuple[int, ...] = ()
    output: tuple[int, ...] = ()


def build(layer: Layer) -> bytes:
    """The layer as a model of one operator."""
    r = random.Random(layer.seed)
    model = Model()
    kind = "int16" if layer.wide else "int8"
    ends = (layer.steps, layer.batches) if layer.major else (layer.batches, layer.steps)
    states = (layer.batches, layer.units)

    def tensor(place: int, *values: Any, **options: Any) -> int:
        names = ("shape", "scale", "zero_point", "values")
        return model.tensor(**{**dict(zip(names, values, strict=False)), **options, **layer.spoils.get(place, {})})

    operands = [-1] * 24
    operands[INPUT] = model.input((*ends, layer.depth), *layer.x, kind)
    for gate in range(4):
        for first, depth, scale in ((1, layer.depth, layer.weights[0]), (5, layer.units, layer.weights[1])):
            values = [r.randint(layer.lowest, 127) for _ in range(layer.units * depth)]
            operands[first + gate] = tensor(first + gate, (layer.units, depth), scale, 0, values)
        bias = [r.randint(-4000, 4000) for _ in range(layer.units)]
        scale = float32(layer.x[0] * layer.weights[0])
        dtype = "int64" if layer.wide else "int32"
        operands[12 + gate] = tensor(12 + gate, (layer.units,), scale, 0, bias, dtype=dtype)
    operands[HIDDEN] = tensor(HIDDEN, states, *layer.hidden, dtype=kind, variable=True)
    operands[CELL] = tensor(CELL, states, 2.0**layer.cell_power, 0, dtype="int16", variable=True)
    if PEEPHOLE in layer.spoils:
        operands[PEEPHOLE] = tensor(PEEPHOLE, (layer.units,), 0.1, 0, [0] * layer.units)
    for place in layer.left_out:
        operands[place] = -1
    target = model.tensor(layer.output or (*ends, layer.units), *layer.hidden, dtype=kind)
    model.add(
        NAME,
        operands,
        [target],
        fusedActivationFunction=layer.activation,
        cellClip=layer.clip,
        timeMajor=layer.major,
    )
    return model.build(target)


@st.composite
def layers(draw: st.DrawFn, wide: bool) -> Layer:
    small = st.integers(1, 3)
    limit = 32767 if wide else 127
    points = st.just(0) if wide and draw(st.booleans()) else st.integers(-limit - 1, limit)
    depth, units = draw(st.integers(1, 19)), draw(st.integers(1, 13))
    x_scale = draw(scales(1e-5, 1e-3) if wide else scales(2e-3, 0.2))
    weight = draw(st.floats(0.002, 0.05))
    return Layer(
        batches=draw(small),
        steps=draw(st.integers(1, 4)),
        depth=depth,
        units=units,
        wide=wide,
        major=draw(st.booleans()),
        x=(x_scale, draw(points)),
        hidden=(draw(scales(2e-5, 1e-3) if wide else scales(2e-3, 0.05)), draw(points)),
        weights=(float32(weight / depth**0.5), float32(draw(st.floats(0.002, 0.05)))),
        cell_power=draw(st.sampled_from([-12, -12, -11, -10, -9, -13, -14, -15])),
        clip=draw(st.sampled_from([0.0, 0.0, 10.0, 0.3, 1.0, 1e-6])),
        lowest=draw(st.sampled_from([-127, -128, 100])),
        seed=draw(seeds),
    )


@st.composite
def sequences(draw: st.DrawFn, wide: bool = False) -> Case:
    layer = draw(layers(wide))
    size = layer.batches * layer.steps * layer.depth * (1 + wide)
    r = random.Random(layer.seed)
    edges = (b"\x80", b"\x7f") if not wide else (b"\x00\x80", b"\xff\x7f")
    inputs = [edge * (size // len(edge)) for edge in edges] + [r.randbytes(size) for _ in range(6)]
    r.shuffle(inputs)
    return Case(f"{layer}", build(layer), tuple(inputs))


PLAIN, WIDE = Layer(), Layer(wide=True, x=(1e-4, 0), hidden=(2.0**-15, 0))
ROWS = [
    Row(NAME, "int8", sequences(), count=40, programs=2),
    Row(NAME, "int16", sequences(wide=True), count=40, programs=2),
    Row(NAME, "int8_dsp", sequences(), count=30, prove=assert_bit_exact_with_dsp_kernels),
    Row(NAME, "int16_dsp", sequences(wide=True), count=30, prove=assert_bit_exact_with_dsp_kernels),
]
REFUSALS = [
    Refusal(NAME, build(replace(PLAIN, activation=0)), "activation is not tanh"),
    Refusal(NAME, build(replace(PLAIN, spoils={PEEPHOLE: {}})), "peepholes"),
    Refusal(NAME, build(replace(PLAIN, left_out=(7,))), "has no weights of the cell gate"),
    Refusal(NAME, build(replace(PLAIN, left_out=(14,))), "has no bias of the cell gate"),
    Refusal(NAME, build(replace(PLAIN, spoils={6: {"scale": [0.1] * 4}})), "one scale"),
    Refusal(NAME, build(replace(PLAIN, spoils={6: {"zero_point": 1}})), "zero point of 0"),
    Refusal(NAME, build(replace(PLAIN, spoils={12: {"dtype": "int64"}})), "4 int32"),
    Refusal(NAME, build(replace(WIDE, spoils={12: {"dtype": "int32"}})), "4 int64"),
    Refusal(NAME, build(replace(PLAIN, spoils={HIDDEN: {"shape": (1, 5)}})), "do not fit"),
    Refusal(
        NAME, build(replace(PLAIN, spoils={HIDDEN: {"variable": False, "values": [0] * 4}})), "variable of its own"
    ),
    Refusal(NAME, build(replace(PLAIN, spoils={CELL: {"dtype": "int8"}})), "cell state .* is int8"),
    Refusal(NAME, build(replace(PLAIN, spoils={CELL: {"scale": 16.0}})), "far from"),
    Refusal(NAME, build(replace(PLAIN, spoils={CELL: {"scale": 2.0**-31}})), "rescaled by 1/2 or more"),
    Refusal(NAME, build(replace(PLAIN, output=(1, 2, 5))), "do not fit"),
    Refusal(NAME, build(replace(PLAIN, weights=(1e6, 0.01))), "overflow 32 bits"),
    Refusal(NAME, build(replace(WIDE, weights=(1e6, 0.01))), "overflow 32 bits"),
]
