# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC, TANH, RELU, RELU6, LEAKY_RELU, HARD_SWISH and QUANTIZE: all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from op_cases import Case
from op_strategies import bit_exact, scales, zero_points
from tflite_builder import Model

from export.lowering import lower
from pipeline.errors import InputFileError
from pipeline.tflite.reader import read_graph

FIXED_OUTPUTS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
ALL_BYTES = bytes(range(256))


def elementwise(
    name: str, x: tuple[float, int], y: tuple[float, int], options: str = "", count: int = 256, **values: float
) -> bytes:
    model = Model()
    source = model.input((1, count), *x)
    target = model.tensor((1, count), *y)
    model.add(name, [source], [target], options, **values)
    return model.build(target)


@st.composite
def lookups(draw: st.DrawFn, name: str) -> Case:
    x = (draw(scales(1e-4, 4.0)), draw(zero_points))
    y = FIXED_OUTPUTS.get(name) or (draw(scales()), draw(zero_points))
    values: dict[str, float] = {}
    if name == "LEAKY_RELU":
        values["alpha"] = draw(st.one_of(st.floats(0, 2, width=32), st.sampled_from([0.0, 0.2, 1.0])))
    if name == "RELU6":
        y = x
    if name == "HARD_SWISH":  # TFLM wants an output scale of at least 1/128 of the input's, and has a quirk below 2^-8
        x = (draw(scales(1e-2, 1.0)), x[1])
        y = (x[0] * draw(st.sampled_from([0.25, 0.7, 1.0, 1.9])), y[1])
    label = f"{name} {x} -> {y} {values}"
    return Case(label, elementwise(name, x, y, "LeakyReluOptions" if values else "", **values), (ALL_BYTES,))


test_logistic = bit_exact(lookups("LOGISTIC"))
test_tanh = bit_exact(lookups("TANH"))
test_relu = bit_exact(lookups("RELU"))
test_relu6 = bit_exact(lookups("RELU6"))
test_leaky_relu = bit_exact(lookups("LEAKY_RELU"))
test_hard_swish = bit_exact(lookups("HARD_SWISH"))
test_quantize = bit_exact(lookups("QUANTIZE"))


@st.composite
def sizes(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 37))
    tflite = elementwise("RELU", (0.5, 3), (0.25, -5), count=count)
    return Case(f"{count} elements", tflite, (draw(st.binary(min_size=count, max_size=count)),))


test_any_size = bit_exact(sizes(), programs=1)


@st.composite
def chains(draw: st.DrawFn) -> Case:
    """Enough of them that the kernel is shared, all in place in one block of memory."""
    model = Model()
    tensor = model.input((2, 8), draw(scales()), draw(zero_points))
    for _ in range(6):
        tensor, source = model.tensor((2, 8), draw(scales(0.1, 1.0)), draw(zero_points)), tensor
        model.add(draw(st.sampled_from(["RELU", "QUANTIZE"])), [source], [tensor])
    squeezed = model.tensor(
        (16,), model.tensors[tensor].quantization.scale[0], model.tensors[tensor].quantization.zeroPoint[0]
    )
    shape = model.tensor((1,), values=[16], dtype="int32")
    model.add("RESHAPE", [tensor, shape], [squeezed])
    return Case("chain", model.build(squeezed), (bytes(draw(st.binary(min_size=16, max_size=16))),))


test_chain_in_place = bit_exact(chains(), count=10, programs=1)


@pytest.mark.parametrize(
    ("name", "x", "y", "values", "says"),
    [
        ("LOGISTIC", (0.1, 0), (1 / 128, -128), {}, "scale"),
        ("TANH", (0.1, 0), (1 / 128, 1), {}, "zero point"),
        ("LOGISTIC", (1e-9, 0), (1 / 256, -128), {}, "2\\^-27"),
        ("RELU6", (0.1, 0), (0.2, 0), {}, "differ"),
        ("LEAKY_RELU", (0.1, 0), (0.2, 0), {"alpha": -0.5}, "alpha"),
        ("LEAKY_RELU", (0.1, 0), (0.2, 0), {"alpha": float("nan")}, "alpha"),
        ("LEAKY_RELU", (0.1, 0), (0.2, 0), {"alpha": 1e30}, "rescales"),
        ("RELU", (1e20, 0), (1e-20, 0), {}, "rescales"),
        ("QUANTIZE", (1e10, 0), (1e-3, 0), {}, "rescales"),
        ("HARD_SWISH", (10.0, 0), (0.01, 0), {}, "too far apart"),
        ("HARD_SWISH", (1e-9, 0), (1e-9, 0), {}, "too far apart"),
    ],
)
def test_refuses(name: str, x: tuple[float, int], y: tuple[float, int], values: dict[str, float], says: str) -> None:
    tflite = elementwise(name, x, y, "LeakyReluOptions" if values else "", **values)
    with pytest.raises(InputFileError, match=rf"operator 0 \({name}\): .*{says}"):
        lower(read_graph(tflite))
