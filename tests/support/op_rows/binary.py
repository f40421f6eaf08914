# SPDX-License-Identifier: Apache-2.0
"""Operators on two operands or three of every type: computed and constant ones, all broadcasts, edges of each type."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from support.cortex_m4 import assert_bit_exact_on_cortex_m4, assert_bit_exact_on_cortex_m55
from support.op_cases import Case, assert_bit_exact_with_dsp_kernels, assert_bit_exact_with_mve_kernels
from support.op_strategies import ACTIVATIONS, Quantization, float32, scales, seeds, simple_scales
from support.op_table import Refusal, Row
from support.tflite_writer import Model
from tinyproof.core.tflite.dtypes import DTYPES, pack

Shape = tuple[int, ...]
Scaling = Quantization | tuple[None, int]
UNSCALED: Scaling = (None, 0)
COMPARISONS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")


def typed_inputs(ends: Sequence[tuple[int, str]], seed: int) -> tuple[bytes, ...]:
    """For several inputs of so many elements and their types: both ends of each type, 0, one end against the other,
    small numbers and any numbers."""
    source = random.Random(seed)
    rows: list[list[tuple[int, ...]]] = [[] for _ in range(8)]
    for place, (count, name) in enumerate(ends):
        dtype = DTYPES[name]
        edges = (
            dtype.low,
            dtype.high,
            0,
            dtype.high if place % 2 else dtype.low,
            dtype.low if place % 2 else dtype.high,
        )
        for row, edge in zip(rows, edges, strict=False):
            row.append((edge,) * count)
        near = (max(dtype.low, -3), min(dtype.high, 3))
        rows[5].append(tuple(source.randint(*near) for _ in range(count)))
        for row in rows[6:]:
            row.append(tuple(source.randint(dtype.low, dtype.high) for _ in range(count)))
    return tuple(b"".join(pack(values, name) for values, (_, name) in zip(row, ends, strict=True)) for row in rows)


def zero_points(dtype: str) -> st.SearchStrategy[int]:
    low, high = DTYPES[dtype].low, DTYPES[dtype].high
    return st.one_of(st.just(0), st.integers(low, high), st.sampled_from([low, high]))


@st.composite
def shapes(draw: st.DrawFn, count: int) -> tuple[list[Shape], Shape]:
    """`count` shapes that broadcast to one another, and to what: up to 6 dimensions, or none."""
    rank = draw(st.integers(1, 6))
    sizes = [draw(st.integers(1, 5 if rank < 4 else 3)) for _ in range(rank)]
    found = []
    for _ in range(count):
        cut = [size if draw(st.integers(0, 3)) else 1 for size in sizes]
        leading = next((i for i, size in enumerate(cut) if size != 1), rank)
        found.append(tuple(cut[draw(st.integers(0, leading)) :]))
    if draw(st.booleans()):
        found[draw(st.integers(0, count - 1))] = tuple(sizes)
    rank = max(map(len, found))
    return found, tuple(max(s[i - rank] if i - rank >= -len(s) else 1 for s in found) for i in range(rank))


def build(
    name: str,
    operands: Sequence[tuple[Shape, str, Scaling]],
    y: tuple[Shape, str, Scaling],
    constant: int | None,
    seed: int,
    exclude: Sequence[int] = (),
    **options: Any,
) -> Case:
    """Operands in their order, that at place `constant` with values that are none of `exclude`."""
    model, indices, ends = Model(), [], []
    source = random.Random(seed)
    for place, (shape, dtype, (scale, zero_point)) in enumerate(operands):
        count = math.prod(shape)
        if place == constant:
            low, high = DTYPES[dtype].low, DTYPES[dtype].high
            some = [low, high, source.randint(low, high), source.randint(low, high), max(low, min(high, 1))]
            values = [value for value in some if value not in exclude]
            content = pack([source.choice(values) for _ in range(count)], dtype)
            indices.append(model.tensor(shape, scale, zero_point, values=content, dtype=dtype))
        else:
            indices.append(model.input(shape, scale, zero_point, dtype=dtype))
            ends.append((count, dtype))
    target = model.tensor(y[0], y[2][0], y[2][1], dtype=y[1])
    model.add(name, indices, [target], **options)
    label = f"{name} {operands} -> {y} constant {constant} {options}"
    return Case(label, model.build(target), typed_inputs(ends, seed))


@st.composite
def binary(draw: st.DrawFn, name: str, *types: str) -> Case:
    """Any two operands of a type, one of them constant or none."""
    dtype = draw(st.sampled_from(types or TYPES[name]))
    (first, second), result = draw(shapes(2))
    scaled = dtype in ("int8", "int16") and name not in ("MAXIMUM", "MINIMUM")
    quantizations: list[Scaling] = [UNSCALED] * 3
    if scaled:
        quantizations = list(draw(scaled_quantizations(name, dtype)))
    fused = name in ("ADD", "SUB", "MUL")
    options: dict[str, Any] = {"fusedActivationFunction": draw(st.sampled_from(ACTIVATIONS))} if fused else {}
    to_bool = name in COMPARISONS or name.startswith("LOGICAL")
    y = (result, "bool" if to_bool else dtype, UNSCALED if to_bool else quantizations[2])
    operands = [(first, dtype, quantizations[0]), (second, dtype, quantizations[1])]
    return build(name, operands, y, draw(st.sampled_from([None, None, 0, 1])), draw(seeds), **options)


@st.composite
def scaled_quantizations(draw: st.DrawFn, name: str, dtype: str) -> tuple[Quantization, Quantization, Quantization]:
    """Of both operands and the output; some of them in simple ratios, where answers lie half-way."""
    x, x2, y = draw(st.one_of(simple_scales(3), st.lists(scales(1e-2, 0.9), min_size=3, max_size=3)))
    if name == "MUL":
        y = float32(x * x2 * draw(st.sampled_from([1 / 3, 2, 6, 7, 8, 100, 30000])))
    if name == "SQUARED_DIFFERENCE":
        y = float32(4 * max(x, x2) ** 2 * draw(st.sampled_from([0.01, 0.3, 1, 2, 20])))
    if name in COMPARISONS:
        x, x2 = min(x, 0.99), draw(st.sampled_from([min(x, 0.99), min(x2, 0.99), 1e-3, 2.0**-9]))
    if dtype == "int16" and name == "MUL":
        y = max(y, float32(x * x2 * 2))
    if dtype == "int16" and name == "SQUARED_DIFFERENCE":
        y = max(y, float32(4.1 * max(x, x2) ** 2))
    zeros = st.just(0) if dtype == "int16" and name not in ("ADD", "SUB") else zero_points(dtype)
    return (x, draw(zeros)), (x2, draw(zeros)), (y, draw(zeros))


@st.composite
def selects(draw: st.DrawFn) -> Case:
    dtype = draw(st.sampled_from(["int8", "int16"]))
    (condition, first, second), result = draw(shapes(3))
    operands = [(condition, "bool", UNSCALED), (first, dtype, (0.1, 0)), (second, dtype, (0.2, 0))]
    constant = draw(st.sampled_from([None, 0, 1, 2]))
    return build("SELECT_V2", operands, (result, dtype, (0.1, 0)), constant, draw(seeds))


@st.composite
def prelus(draw: st.DrawFn) -> Case:
    dtype = draw(st.sampled_from(["int8", "int16"]))
    (first, second), result = draw(shapes(2))
    x, x2, y = draw(st.one_of(simple_scales(3), st.lists(scales(1e-2, 0.9), min_size=3, max_size=3)))
    x2 = float32(x2 * draw(st.sampled_from([1, 0.01])))
    zeros = zero_points(dtype)
    operands = [(first, dtype, (x, draw(zeros))), (second, "int8", (x2, draw(zero_points("int8"))))]
    constant = draw(st.sampled_from([None, 1, 1, 0]))
    return build("PRELU", operands, (result, dtype, (y, draw(zeros))), constant, draw(seeds))


@st.composite
def sums(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    (x, y) = draw(simple_scales(2)) if draw(st.booleans()) else (draw(scales(1e-2, 1.0)), draw(scales(1e-2, 1.0)))
    operand = (shape, "int8", (x, draw(zero_points("int8"))))
    count = draw(st.one_of(st.integers(2, 5), st.just(15)))
    constant = draw(st.sampled_from([None, 0, 1, count - 1]))
    return build("ADD_N", [operand] * count, (shape, "int8", (y, draw(zero_points("int8")))), constant, draw(seeds))


@st.composite
def quotients(draw: st.DrawFn) -> Case:
    """Of int8: any divisor, 0 among them, where the scales let TFLite Micro answer; some constants with others."""
    (first, second), result = draw(shapes(2))
    x, x2, y = draw(st.one_of(simple_scales(3), st.lists(scales(1e-2, 0.9), min_size=3, max_size=3)))
    y = float32(x / (x2 * draw(st.sampled_from([64.1, 96, 100, 1000, 2.0**14, 2.0**21]))))
    operands = [(first, "int8", (x, draw(zero_points("int8")))), (second, "int8", (x2, draw(zero_points("int8"))))]
    options: dict[str, Any] = {"fusedActivationFunction": draw(st.sampled_from([0, 0, 1, 3]))}
    constant = draw(st.sampled_from([None, None, 0, 1]))
    return build("DIV", operands, (result, "int8", (y, draw(zero_points("int8")))), constant, draw(seeds), **options)


@st.composite
def int32_quotients(draw: st.DrawFn) -> Case:
    """By one constant."""
    model = Model()
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    powers = [2**exponent + more for exponent in range(1, 31) for more in (-1, 0, 1)]
    divisor = draw(st.sampled_from(powers) | st.integers(1, 2**31 - 1) | st.sampled_from([3, 7, 10, -2, -(2**31)]))
    divisor = -divisor if divisor > 1 and draw(st.booleans()) else divisor
    x, y = model.input(shape, dtype="int32"), model.tensor(shape, dtype="int32")
    by = model.tensor((1,) * draw(st.integers(1, len(shape))), values=[divisor], dtype="int32")
    model.add("DIV", [x, by], [y], fusedActivationFunction=draw(st.sampled_from(ACTIVATIONS)))
    inputs = typed_inputs([(math.prod(shape), "int32")], draw(seeds))
    return Case(f"DIV {shape} by {divisor}", model.build(y), inputs, draw(st.booleans()))


TYPES = {
    **dict.fromkeys(("ADD", "SUB", "MUL"), ("int8", "int16", "int32")),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), ("int8", "int16", "int32", "int64")),
    "SQUARED_DIFFERENCE": ("int8", "int16", "int32"),
    **dict.fromkeys(("EQUAL", "NOT_EQUAL"), ("int8", "int32", "int64", "bool")),
    **dict.fromkeys(("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"), ("int8", "int32", "int64")),
    **dict.fromkeys(("LOGICAL_AND", "LOGICAL_OR"), ("bool",)),
}
ROWS = [
    *(Row(name, "any", binary(name)) for name in TYPES),
    *(
        Row(name, f"int8_{label}", binary(name, "int8"), prove=prove)
        for name in ("ADD", "MUL", "SUB")
        for label, prove in (
            ("with_dsp_kernels", assert_bit_exact_with_dsp_kernels),
            ("with_mve_kernels", assert_bit_exact_with_mve_kernels),
            ("on_cortex_m4", assert_bit_exact_on_cortex_m4),
        )
    ),
    *(
        Row(name, "on_cortex_m55", binary(name), count=60, prove=assert_bit_exact_on_cortex_m55)
        for name in ("ADD", "SUB", "MUL")
    ),
    Row("SELECT_V2", "any", selects()),
    Row("PRELU", "any", prelus()),
    Row("ADD_N", "any", sums(), count=25),
    Row("DIV", "any_int8", quotients()),
    Row("DIV", "any_int32", int32_quotients()),
]


def alike(name: str, dtype: str, x: Scaling, y: Scaling, **kinds: str) -> bytes:
    """Two operands of one shape, type and quantization; `second` and `result` may have other types."""
    operands = [((1, 3), dtype, x), ((1, 3), kinds.get("second", dtype), x)]
    return build(name, operands, ((1, 3), kinds.get("result", dtype), y), None, 1).tflite


def select_of(dtype: str, condition: str = "bool") -> bytes:
    operands = [((1, 3), condition, UNSCALED), *[((1, 3), dtype, (0.1, 0))] * 2]
    return build("SELECT_V2", operands, ((1, 3), dtype, (0.1, 0)), None, 1).tflite


def sum_of(count: int, last: Quantization = (0.1, 0), y: Quantization = (0.1, 0), shape: Shape = (1, 3)) -> bytes:
    operands = [*[((1, 3), "int8", (0.1, 0))] * (count - 1), (shape, "int8", last)]
    return build("ADD_N", operands, ((1, 3), "int8", y), None, 1).tflite


def quotient_by(values: list[int]) -> bytes:
    model = Model()
    x, y = model.input((1, 3), dtype="int32"), model.tensor((1, 3), dtype="int32")
    model.add("DIV", [x, model.tensor((len(values),), values=values, dtype="int32")], [y])
    return model.build(y)


FINE, ODD = (0.1, 0), (0.1, 1)
REFUSALS = [
    Refusal("ADD", alike("ADD", "int32", FINE, FINE), "int32 with a scale"),
    Refusal("ADD", alike("ADD", "int16", (1.0, 0), (1e-5, 0)), r"2\^-14"),
    Refusal("ADD", alike("ADD", "int64", UNSCALED, UNSCALED), "int64; supported are"),
    Refusal("SUB", alike("SUB", "int32", UNSCALED, FINE), "int32 with a scale"),
    Refusal("MUL", alike("MUL", "int16", ODD, FINE), "zero point"),
    Refusal("MUL", alike("MUL", "int16", (1.0, 0), (0.9, 0)), "rescales"),
    Refusal("MUL", alike("MUL", "int8", FINE, FINE, result="int16"), "int16; supported is int8"),
    Refusal("MUL", alike("MUL", "int8", UNSCALED, FINE), "0 scales"),
    *(Refusal(name, alike(name, "uint8", FINE, FINE), "uint8; supported are") for name in ("MAXIMUM", "MINIMUM")),
    Refusal("SQUARED_DIFFERENCE", alike("SQUARED_DIFFERENCE", "int16", ODD, FINE), "zero point"),
    Refusal("SQUARED_DIFFERENCE", alike("SQUARED_DIFFERENCE", "int8", (1.0, 0), (1e-5, 0)), "square"),
    *(
        Refusal(name, alike(name, "int16", FINE, UNSCALED, result="bool"), "int16; supported are")
        for name in COMPARISONS
    ),
    Refusal("LESS", alike("LESS", "int8", (1.0, 0), UNSCALED, result="bool"), "below 1 alone"),
    Refusal("EQUAL", alike("EQUAL", "int32", UNSCALED, UNSCALED, second="int64", result="bool"), "int64; supported is"),
    Refusal("EQUAL", alike("EQUAL", "int32", UNSCALED, UNSCALED, result="int8"), "int8; supported is bool"),
    *(
        Refusal(name, alike(name, "int8", UNSCALED, UNSCALED, result="bool"), "int8; supported is bool")
        for name in ("LOGICAL_AND", "LOGICAL_OR")
    ),
    Refusal("SELECT_V2", select_of("int32"), "int32; supported are"),
    Refusal("SELECT_V2", select_of("int8", "int8"), "int8; supported is bool"),
    Refusal("PRELU", alike("PRELU", "int16", FINE, FINE), "int16; supported is int8"),
    Refusal("PRELU", alike("PRELU", "int8", (1e5, 0), (1e-5, 0)), "rescales"),
    Refusal("DIV", alike("DIV", "int8", (0.5, 0), (1.0, 0)), r"rescales its quotient by 1; .* from 2\^6 to"),
    Refusal("DIV", alike("DIV", "int16", FINE, FINE), "int16; supported are"),
    Refusal("DIV", alike("DIV", "int32", UNSCALED, UNSCALED), "may be 0"),
    Refusal("DIV", alike("DIV", "int32", FINE, UNSCALED), "with a scale"),
    Refusal("DIV", quotient_by([0]), "may be 0"),
    Refusal("DIV", quotient_by([-1]), "by -1"),
    Refusal("DIV", quotient_by([1, 2, 3]), "several numbers"),
    Refusal("ADD_N", sum_of(33), "adds 33 tensors"),
    Refusal("ADD_N", sum_of(1), "less than 2"),
    Refusal("ADD_N", sum_of(3, last=(0.2, 0)), "not quantized like the first"),
    Refusal("ADD_N", sum_of(3, y=(1e-9, 0)), "too far apart"),
    Refusal("ADD_N", sum_of(3, shape=(3, 1)), "differ in size"),
]
