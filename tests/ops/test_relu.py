# SPDX-License-Identifier: Apache-2.0
"""RELU of all 256 inputs, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.lookup_cases import elementwise, lookups
from support.op_cases import Case
from support.op_strategies import assert_refused, bit_exact, scales, zero_points
from support.tflite_writer import Model

test_all_inputs = bit_exact(lookups("RELU"), count=30)


@st.composite
def sizes(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 37))
    tflite = elementwise("RELU", (0.5, 3), (0.25, -5), count=count)
    return Case(f"{count} elements", tflite, (draw(st.binary(min_size=count, max_size=count)),))


test_any_size = bit_exact(sizes(), count=20)


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


test_chain_in_place = bit_exact(chains(), count=10)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ((1e20, 0), (1e-20, 0), "rescales"),
    ],
)
def test_refuses(x: tuple[float, int], y: tuple[float, int], says: str) -> None:
    assert_refused("RELU", elementwise("RELU", x, y), says)
