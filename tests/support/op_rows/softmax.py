# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX of int8 and int16, LOG_SOFTMAX and L2_NORMALIZATION, along the last dimension."""

from __future__ import annotations

import math
import random
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_rows.binary import typed_inputs
from support.op_strategies import Quantization, quantizations, scales, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model
from tinyproof.core.tflite.dtypes import DTYPES, pack

Shape = tuple[int, ...]
BYTES, BYTES_WIDE, WIDE = (1 / 256, -128), (1 / 65536, -32768), (1 / 32768, 0)


def along_rows(
    name: str,
    shape: Shape,
    x: Quantization,
    y: Quantization,
    types: tuple[str, str] = ("int8", "int8"),
    output: Shape | None = None,
    **options: Any,
) -> bytes:
    model = Model()
    source = model.input(shape, x[0], x[1], dtype=types[0])
    target = model.tensor(output or shape, y[0], y[1], dtype=types[1])
    model.add(name, [source], [target], **options)
    return model.build(target)


def softmax(shape: Shape, x: Quantization, beta: float = 1.0, y: Quantization = BYTES) -> bytes:
    return along_rows("SOFTMAX", shape, x, y, beta=beta)


@st.composite
def shapes(draw: st.DrawFn, deepest: int = 400) -> Shape:
    rows, depth = draw(st.integers(1, 3)), draw(st.one_of(st.integers(1, 12), st.integers(13, deepest)))
    return draw(st.sampled_from([(depth,), (rows, depth), (1, rows, 1, depth)]))


def near_inputs(count: int, dtype: str, seed: int) -> list[bytes]:
    """Values near each other, where more than one answer is not 0."""
    source, high = random.Random(seed), DTYPES[dtype].high
    spans = (37, 9, 2) if dtype == "int8" else (9000, 700, 2)
    return [pack([source.randint(high - span, high) for _ in range(count)], dtype) for span in spans]


@st.composite
def byte_softmaxes(draw: st.DrawFn, wide: bool) -> Case:
    shape = draw(shapes())
    x = (draw(scales(1e-3, 4.0)), draw(zero_points))
    beta = draw(st.sampled_from([1.0, 1.0, 0.5, 3.0]))
    types = ("int8", "int16" if wide else "int8")
    tflite = along_rows("SOFTMAX", shape, x, BYTES_WIDE if wide else BYTES, types, beta=beta)
    seed, count = draw(seeds), math.prod(shape)
    inputs = (*edge_inputs(count, seed), *near_inputs(count, "int8", seed))
    return Case(f"SOFTMAX {types} {shape}: {x} beta {beta}", tflite, inputs, aliased=draw(st.booleans()))


@st.composite
def wide_softmaxes(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    x = (draw(st.one_of(scales(1e-5, 1e-2), scales(1e-2, 1.6))), 0)
    beta = draw(st.sampled_from([1.0, 1.0, 0.5, 3.0]))
    tflite = along_rows("SOFTMAX", shape, x, WIDE, ("int16", "int16"), beta=beta)
    seed, count = draw(seeds), math.prod(shape)
    inputs = (*typed_inputs([(count, "int16")], seed), *near_inputs(count, "int16", seed))
    return Case(f"SOFTMAX int16 {shape}: {x} beta {beta}", tflite, inputs, aliased=draw(st.booleans()))


@st.composite
def log_softmaxes(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    x = (draw(scales(1e-3, 4.0)), draw(zero_points))
    tflite = along_rows("LOG_SOFTMAX", shape, x, (1 / 16, 127))
    seed, count = draw(seeds), math.prod(shape)
    inputs = (*edge_inputs(count, seed), *near_inputs(count, "int8", seed))
    return Case(f"LOG_SOFTMAX {shape}: {x}", tflite, inputs, aliased=draw(st.booleans()))


@st.composite
def l2_normalizations(draw: st.DrawFn) -> Case:
    shape = draw(shapes(3000))
    x = draw(quantizations())
    tflite = along_rows("L2_NORMALIZATION", shape, x, (1 / 128, 0))
    seed, count = draw(seeds), math.prod(shape)
    zeros = bytes([x[1] & 0xFF]) * count
    inputs = (*edge_inputs(count, seed), zeros, bytes([(x[1] + 1) & 0xFF]) + zeros[1:])
    return Case(f"L2_NORMALIZATION {shape}: {x}", tflite, inputs, aliased=draw(st.booleans()))


ROWS = [
    Row("SOFTMAX", "any_depth", byte_softmaxes(wide=False), programs=2),
    Row("SOFTMAX", "int8_to_int16", byte_softmaxes(wide=True)),
    Row("SOFTMAX", "int16", wide_softmaxes(), programs=2),
    Row("LOG_SOFTMAX", "any_depth", log_softmaxes(), programs=2),
    Row("L2_NORMALIZATION", "any_depth", l2_normalizations(), programs=2),
]
INT16 = ("int16", "int16")
REFUSALS = [
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), y=(1 / 255, -128)), "1/256"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), y=(1 / 256, 0)), "zero point -128"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), beta=0.0), "beta"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), beta=float("nan")), "beta"),
    Refusal("SOFTMAX", softmax((1, 4), (1e-9, 0)), "not supported"),
    Refusal("SOFTMAX", softmax((1, 4096), (0.1, 0)), "4,096"),
    Refusal("SOFTMAX", softmax((1, 1, 1, 1, 1, 1, 4), (0.1, 0)), "dimensions"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (4,), (0.1, 0), BYTES, ("int8", "int16"), beta=1.0), "1/65536"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (4,), (0.1, 0), BYTES_WIDE, INT16, beta=1.0), "1/32768"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (4,), (0.1, 1), WIDE, INT16, beta=1.0), "zero point 0"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (4,), (6.0, 0), WIDE, INT16, beta=1.0), "beta 1 and"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (70_000,), (0.1, 0), WIDE, INT16, beta=1.0), "70,000"),
    Refusal("SOFTMAX", along_rows("SOFTMAX", (4,), (0.1, 0), BYTES, ("int16", "int8"), beta=1.0), "is int8"),
    Refusal("LOG_SOFTMAX", along_rows("LOG_SOFTMAX", (4,), (0.1, 0), (1 / 8, 127)), "1/16"),
    Refusal("LOG_SOFTMAX", along_rows("LOG_SOFTMAX", (4,), (0.1, 0), (1 / 16, 0)), "zero point 127"),
    Refusal("LOG_SOFTMAX", along_rows("LOG_SOFTMAX", (4,), (0.1, 0), WIDE, INT16), "is int16"),
    Refusal("LOG_SOFTMAX", along_rows("LOG_SOFTMAX", (4,), (1e-9, 0), (1 / 16, 127)), "not supported"),
    Refusal("LOG_SOFTMAX", along_rows("LOG_SOFTMAX", (4096,), (0.1, 0), (1 / 16, 127)), "4,096"),
    Refusal("L2_NORMALIZATION", along_rows("L2_NORMALIZATION", (4,), (0.1, 0), WIDE, INT16), "is int16"),
    Refusal("L2_NORMALIZATION", along_rows("L2_NORMALIZATION", (1, 1, 1, 1, 4), (0.1, 0), WIDE), "dimensions"),
    Refusal("L2_NORMALIZATION", along_rows("L2_NORMALIZATION", (4,), (0.1, 0), WIDE, output=(2, 2)), "same shape"),
    Refusal(
        "L2_NORMALIZATION", along_rows("L2_NORMALIZATION", (4,), (0.1, 0), WIDE, fusedActivationFunction=1), "fused"
    ),
    Refusal("L2_NORMALIZATION", along_rows("L2_NORMALIZATION", (140_000,), (0.1, 0), (1 / 128, 0)), "140,000"),
]
