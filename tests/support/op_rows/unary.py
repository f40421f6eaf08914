# SPDX-License-Identifier: Apache-2.0
"""Operators on one operand of every type but int8 to int8, which lookup.py has: edges, and random numbers."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_rows.binary import UNSCALED, Scaling, typed_inputs, zero_points
from support.op_strategies import float32, scales, seeds, simple_scales
from support.op_table import Refusal, Row
from support.tflite_writer import Model
from tinyproof.core.tflite.dtypes import pack

ALL_BYTES = bytes(range(256))
CASTS = ("int8", "int16", "int32", "uint32", "bool")
ENDS = tuple(dtype for dtype in CASTS if dtype != "uint32")
REQUANTIZED = [
    *(("int8", y) for y in ("uint8", "int16", "int32")),
    ("uint8", "int8"),
    *(("int16", y) for y in ("int8", "int16", "int32")),
    *(("int32", y) for y in ("int8", "int16")),
]


def unary(name: str, x: tuple[str, Scaling], y: tuple[str, Scaling], count: int = 3, **values: Any) -> bytes:
    model = Model()
    source = model.input((1, count), x[1][0], x[1][1], dtype=x[0])
    target = model.tensor((1, count), y[1][0], y[1][1], dtype=y[0])
    model.add(name, [source], [target], **values)
    return model.build(target)


def case(name: str, x: tuple[str, Scaling], y: tuple[str, Scaling], seed: int, aliased: bool, **values: Any) -> Case:
    """All of a byte; 200 of wider types, both ends among them."""
    label = f"{name} {x} -> {y} {values}"
    if x[0] in ("int8", "uint8"):
        return Case(label, unary(name, x, y, 256, **values), (ALL_BYTES,), aliased)
    return Case(label, unary(name, x, y, 200, **values), typed_inputs([(200, x[0])], seed), aliased)


@st.composite
def ratios(draw: st.DrawFn) -> list[float]:
    """Scales of input and output."""
    return draw(st.one_of(simple_scales(2), st.lists(scales(1e-3, 1.0), min_size=2, max_size=2)))


@st.composite
def requantized(draw: st.DrawFn) -> Case:
    x, y = draw(st.sampled_from(REQUANTIZED))
    x_scale, y_scale = draw(ratios())
    if x == "int32":
        y_scale = float32(x_scale * draw(st.sampled_from([1.1, 2, 3, 7, 1000, 2.0**20, 3e8])))
    if x == "int16":
        y_scale = max(y_scale, float32(x_scale / 8000))
    zeros = [draw(zero_points(dtype)) if dtype != "int32" else draw(st.sampled_from([0, 0, 5])) for dtype in (x, y)]
    if x == "int32":
        zeros[0] = 0
    return case("QUANTIZE", (x, (x_scale, zeros[0])), (y, (y_scale, zeros[1])), draw(seeds), draw(st.booleans()))


@st.composite
def activations(draw: st.DrawFn, name: str) -> Case:
    """Of int16."""
    x_scale, y_scale = draw(ratios())
    values: dict[str, Any] = (
        {"alpha": draw(st.sampled_from([0.0, 0.01, 0.1, 1 / 3, 0.5, 1.5]))} if name == "LEAKY_RELU" else {}
    )
    zero = st.just(0) if name in ("RELU", "ABS") else zero_points("int16")
    x: Scaling = (x_scale, draw(zero))
    y: Scaling = x if name == "RELU6" or not draw(st.integers(0, 3)) else (y_scale, draw(zero))
    if name == "ABS" and draw(st.booleans()):
        x = y = UNSCALED
    return case(name, ("int16", x), ("int16", y), draw(seeds), draw(st.booleans()), **values)


@st.composite
def sigmoids(draw: st.DrawFn, name: str) -> Case:
    """Of int16: powers of two, and others."""
    powers = st.sampled_from([2.0**exponent for exponent in range(-44, 2)])
    x = (draw(st.one_of(powers, st.sampled_from([2.0**-12, 2.0**-11]), scales(1e-5, 2.6))), 0)
    return case(name, ("int16", x), ("int16", (2.0**-15, 0)), draw(seeds), draw(st.booleans()))


@st.composite
def bytes_to_bytes(draw: st.DrawFn, name: str) -> Case:
    x_scale, y_scale = draw(ratios())
    x, y = (x_scale, draw(zero_points("int8"))), (y_scale, draw(zero_points("int8")))
    if name == "RSQRT":
        x, y = (x_scale, -128), (draw(scales(1e-3, 2.0)), y[1])
    if name == "ABS" and draw(st.booleans()):
        y = (x[0], y[1])
    return case(name, ("int8", x), ("int8", y), draw(seeds), draw(st.booleans()))


@st.composite
def casts(draw: st.DrawFn) -> Case:
    """From one type to another, and on to a third; uint32 is at no end of a model."""
    first, second, third = (draw(st.sampled_from(types)) for types in (ENDS, CASTS, ENDS))
    model = Model()
    x = model.input((1, 60), dtype=first)
    y, z = (model.tensor((1, 60), dtype=dtype) for dtype in (second, third))
    model.add("CAST", [x], [y])
    model.add("CAST", [y], [z])
    return Case(f"CAST {first} {second} {third}", model.build(z), typed_inputs([(60, first)], draw(seeds)))


@st.composite
def negations(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 40))
    values = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    tflite = unary("LOGICAL_NOT", ("bool", UNSCALED), ("bool", UNSCALED), count)
    return Case(f"LOGICAL_NOT {count}", tflite, (pack([int(value) for value in values], "bool"),), draw(st.booleans()))


@st.composite
def all_of_int16(draw: st.DrawFn, name: str) -> Case:
    """Every input there is."""
    x = (draw(st.sampled_from([2.0**-12, 2.0**-11, 2.0**-10, 0.001, 0.0003])), 0)
    content = pack(list(range(-(2**15), 2**15)), "int16")
    return Case(f"{name} all {x}", unary(name, ("int16", x), ("int16", (2.0**-15, 0)), 2**16), (content,))


@st.composite
def roots(draw: st.DrawFn) -> Case:
    """Of every int16 that is not negative: what ABS makes of a ramp."""
    x, y = (draw(scales(1e-6, 1.0)), 0), (draw(scales(1e-4, 2.0)), 0)
    model = Model()
    source = model.input((1, 2**15), *x, dtype="int16")
    positive = model.tensor((1, 2**15), *x, dtype="int16")
    target = model.tensor((1, 2**15), *y, dtype="int16")
    model.add("ABS", [source], [positive])
    model.add("RSQRT", [positive], [target])
    content = pack([sign * number for number, sign in zip(range(2**15), cycle((1, -1)))], "int16")
    return Case(f"RSQRT {x} -> {y}", model.build(target), (content,))


ROWS = [
    Row("QUANTIZE", "any", requantized(), count=60),
    *(Row(name, "any_int16", activations(name), count=25) for name in ("ABS", "LEAKY_RELU", "RELU", "RELU6")),
    *(Row(name, "any_int16", sigmoids(name)) for name in ("LOGISTIC", "TANH")),
    *(Row(name, "all_int16", all_of_int16(name), count=4) for name in ("LOGISTIC", "TANH")),
    *(Row(name, "all_int8", bytes_to_bytes(name)) for name in ("ABS", "ELU", "RSQRT")),
    Row("RSQRT", "all_int16", roots(), count=6),
    Row("CAST", "any", casts()),
    Row("LOGICAL_NOT", "any", negations(), count=10),
]


def same(name: str, dtype: str, x: Scaling, y: Scaling, **values: Any) -> bytes:
    return unary(name, (dtype, x), (dtype, y), **values)


FINE, ODD = (0.1, 0), (0.1, 1)
REFUSALS = [
    Refusal("QUANTIZE", unary("QUANTIZE", ("int16", FINE), ("uint8", FINE)), "uint8; supported are int8, int16, int32"),
    Refusal("QUANTIZE", unary("QUANTIZE", ("int32", FINE), ("int32", FINE)), "int32; supported are int8, int16"),
    Refusal("QUANTIZE", unary("QUANTIZE", ("int32", ODD), ("int8", (0.3, 0))), "leaves 32 bits"),
    Refusal("QUANTIZE", unary("QUANTIZE", ("int32", (1.0, 0)), ("int8", FINE)), "rescales int32 by 10"),
    Refusal("QUANTIZE", unary("QUANTIZE", ("int16", FINE), ("int32", (0.1, 2**31 - 5))), "leaves 32 bits"),
    *(Refusal(name, same(name, "int16", ODD, ODD), "zero point") for name in ("ABS", "RELU")),
    Refusal("ABS", same("ABS", "int16", FINE, UNSCALED), "with both or with neither"),
    Refusal("ABS", same("ABS", "int32", UNSCALED, UNSCALED), "int32; supported are"),
    Refusal("ELU", same("ELU", "int16", FINE, FINE), "int16; supported is int8"),
    Refusal("ELU", same("ELU", "int8", (1e3, 0), (1e-9, 0)), "32 bits"),
    Refusal("RSQRT", same("RSQRT", "int8", FINE, FINE), "may be negative"),
    Refusal("RSQRT", same("RSQRT", "int16", FINE, FINE), "may be negative"),
    Refusal("RSQRT", same("RSQRT", "int16", (0.1, -(2**15)), FINE), "zero point"),
    Refusal("RSQRT", same("RSQRT", "int8", (1e-30, -128), FINE), "rescales"),
    Refusal("LOGISTIC", same("LOGISTIC", "int16", ODD, (2.0**-15, 0)), "zero point"),
    Refusal("LOGISTIC", same("LOGISTIC", "int16", (3.0, 0), (2.0**-15, 0)), "2.66"),
    Refusal("TANH", same("TANH", "int16", (1e-20, 0), (2.0**-15, 0)), r"2\^-44"),
    Refusal("TANH", same("TANH", "int16", FINE, (2.0**-14, 0)), "scale"),
    Refusal("LOGICAL_NOT", same("LOGICAL_NOT", "int8", UNSCALED, UNSCALED), "int8; supported is bool"),
    Refusal("CAST", same("CAST", "int64", UNSCALED, UNSCALED), "int64; supported are"),
]
