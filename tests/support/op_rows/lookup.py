# SPDX-License-Identifier: Apache-2.0
"""Operators that give each byte another one: all 256 inputs of each."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_strategies import Quantization, float32, quantizations, scales, simple_scales, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

FIXED_OUTPUTS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
ALL_BYTES = bytes(range(256))


def elementwise(name: str, x: Quantization, y: Quantization, count: int = 256, **values: Any) -> bytes:
    model = Model()
    source = model.input((1, count), *x)
    target = model.tensor((1, count), *y)
    model.add(name, [source], [target], **values)
    return model.build(target)


@st.composite
def lookups(draw: st.DrawFn, name: str) -> Case:
    x = (draw(scales(1e-4, 4.0)), draw(zero_points))
    y = FIXED_OUTPUTS.get(name) or (draw(scales()), draw(zero_points))
    values: dict[str, Any] = {}
    if name == "LEAKY_RELU":
        values["alpha"] = draw(st.one_of(st.floats(0, 2, width=32), st.sampled_from([0.0, 0.2, 1.0])))
    if name == "RELU6":
        y = x
    if name == "HARD_SWISH":  # TFLM wants an output scale of at least 1/128 of the input's, and has a quirk below 2^-8
        x = (draw(scales(1e-2, 1.0)), x[1])
        y = (x[0] * draw(st.sampled_from([0.25, 0.7, 1.0, 1.9])), y[1])
    label = f"{name} {x} -> {y} {values}"
    return Case(label, elementwise(name, x, y, **values), (ALL_BYTES,))


@st.composite
def ties(draw: st.DrawFn, name: str) -> Case:
    """Scales in simple ratios; for HARD_SWISH a factor that is half-way between two of 16 bits."""
    x_scale, y_scale = draw(simple_scales(2))
    values: dict[str, Any] = {}
    if name == "LEAKY_RELU":
        values["alpha"] = draw(st.sampled_from([0.01, 0.1, 0.2, 0.5, 1 / 3]))
    if name == "HARD_SWISH":
        x_scale /= 16
        y_scale = float32(2**15 * x_scale / (draw(st.integers(2**14, 2**15 - 1)) + 0.5))
    x, y = (x_scale, draw(zero_points)), (y_scale, draw(zero_points))
    return Case(f"{name} {x} -> {y} {values}", elementwise(name, x, y, **values), (ALL_BYTES,))


@st.composite
def sizes(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 37))
    tflite = elementwise("RELU", (0.5, 3), (0.25, -5), count=count)
    return Case(f"{count} elements", tflite, (draw(st.binary(min_size=count, max_size=count)),))


@st.composite
def chains(draw: st.DrawFn) -> Case:
    """Enough of them that the kernel is shared, all in place in one block of memory."""
    model = Model()
    tensor = model.input((2, 8), draw(scales()), draw(zero_points))
    for _ in range(6):
        y = draw(quantizations(0.1, 1.0))
        tensor, source = model.tensor((2, 8), *y), tensor
        model.add(draw(st.sampled_from(["RELU", "QUANTIZE"])), [source], [tensor])
    squeezed = model.tensor((16,), *y)
    model.add("RESHAPE", [tensor, model.tensor((1,), values=[16], dtype="int32")], [squeezed])
    return Case("chain", model.build(squeezed), (bytes(draw(st.binary(min_size=16, max_size=16))),))


def leaky(alpha: float) -> bytes:
    return elementwise("LEAKY_RELU", (0.1, 0), (0.2, 0), alpha=alpha)


ROWS = [
    Row("HARD_SWISH", "all_inputs", lookups("HARD_SWISH"), count=30),
    Row("LEAKY_RELU", "all_inputs", lookups("LEAKY_RELU"), count=30),
    Row("LOGISTIC", "all_inputs", lookups("LOGISTIC"), count=30),
    Row("QUANTIZE", "all_inputs", lookups("QUANTIZE"), count=30),
    Row("RELU", "all_inputs", lookups("RELU"), count=30),
    *(Row(name, "ties", ties(name)) for name in ("HARD_SWISH", "LEAKY_RELU", "QUANTIZE", "RELU")),
    Row("RELU", "any_size", sizes(), count=20),
    Row("RELU", "chain_in_place", chains(), count=10),
    Row("RELU6", "all_inputs", lookups("RELU6"), count=30),
    Row("TANH", "all_inputs", lookups("TANH"), count=30),
]
REFUSALS = [
    Refusal("HARD_SWISH", elementwise("HARD_SWISH", (10.0, 0), (0.01, 0)), "too far apart"),
    Refusal("HARD_SWISH", elementwise("HARD_SWISH", (1e-9, 0), (1e-9, 0)), "too far apart"),
    *(Refusal("LEAKY_RELU", leaky(alpha), "alpha") for alpha in (-0.5, float("nan"), float("inf"))),
    Refusal("LEAKY_RELU", leaky(1e30), "rescales"),
    Refusal("LOGISTIC", elementwise("LOGISTIC", (0.1, 0), (1 / 128, -128)), "scale"),
    Refusal("LOGISTIC", elementwise("LOGISTIC", (0.1, 0), (1 / 256, 0)), "zero point"),
    Refusal("LOGISTIC", elementwise("LOGISTIC", (1e-9, 0), (1 / 256, -128)), r"2\^-27"),
    Refusal("QUANTIZE", elementwise("QUANTIZE", (1e10, 0), (1e-3, 0)), "rescales"),
    Refusal("RELU", elementwise("RELU", (1e20, 0), (1e-20, 0)), "rescales"),
    Refusal("RELU6", elementwise("RELU6", (0.1, 0), (0.2, 0)), "differ"),
    Refusal("RELU6", elementwise("RELU6", (0.1, 0), (0.1, 1)), "differ"),
    Refusal("TANH", elementwise("TANH", (0.1, 0), (1 / 256, 0)), "scale"),
    Refusal("TANH", elementwise("TANH", (0.1, 0), (1 / 128, 1)), "zero point"),
    Refusal("TANH", elementwise("TANH", (1e-9, 0), (1 / 128, 0)), r"2\^-27"),
]
