# SPDX-License-Identifier: Apache-2.0
"""DEQUANTIZE at the end of a model, QUANTIZE at its beginning: folded away, and the bits between are TFLite Micro's."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, only_op, scales, seeds, zero_points
from support.tflite_writer import Model

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower

Quantization = tuple[float, int]


def with_floats(
    count: int, x: Quantization, y: Quantization, float_input: bool = True, floats: tuple[int, int] = (0, 0)
) -> bytes:
    """Floats, or int8, to RELU to floats; `floats`: how many more there are at the input and at the output."""
    model = Model()
    quantized = model.tensor((1, count), *x)
    if float_input:
        model.inputs.append(model.tensor((1, count + floats[0]), dtype="float32"))
        model.add("QUANTIZE", [model.inputs[0]], [quantized])
    else:
        model.inputs.append(quantized)
    active, target = model.tensor((1, count), *y), model.tensor((1, count + floats[1]), dtype="float32")
    model.add("RELU", [quantized], [active])
    model.add("DEQUANTIZE", [active], [target])
    return model.build(target)


@st.composite
def folded(draw: st.DrawFn) -> Case:
    count, float_input = draw(st.integers(1, 40)), draw(st.booleans())
    x, y = (draw(scales()), draw(zero_points)), (draw(scales()), draw(zero_points))
    label = f"{count} {'floats' if float_input else 'int8'} {x} -> {y} -> floats"
    return Case(label, with_floats(count, x, y, float_input), edge_inputs(count, draw(seeds)))


test_any_quantization = bit_exact(folded(), count=30)


def test_the_device_sees_int8_alone() -> None:
    tflite = with_floats(3, (0.5, 1), (0.25, 2))
    program = lower(read_graph(tflite))
    assert only_op(tflite).operator.name == "RELU"
    assert (program.inputs[0].dtype, program.inputs[0].scales) == ("int8", (0.5,))
    assert (program.outputs[0].dtype, program.outputs[0].zero_points) == ("int8", (2,))


def test_refuses_floats_inside_of_a_model() -> None:
    model = Model()
    source = model.input((1, 4), 0.5)
    floats, target = model.tensor((1, 4), dtype="float32"), model.tensor((1, 4), 0.25)
    model.add("DEQUANTIZE", [source], [floats])
    model.add("QUANTIZE", [floats], [target])
    assert_refused("DEQUANTIZE", model.build(target), "only where floats enter and leave")


def test_refuses_floats_that_nothing_dequantized() -> None:
    model = Model()
    source = model.input((1, 4), 0.5)
    target = model.tensor((1, 4), dtype="float32")
    model.add("RELU", [source], [target])
    with pytest.raises(InputFileError, match="output is float32"):
        lower(read_graph(model.build(target)))


def test_refuses_ends_of_other_sizes() -> None:
    """TFLite Micro would read, or write, beyond the smaller tensor."""
    sizes = {"operator 0 .QUANTIZE.: cannot make .1, 4. of .1, 5.": (1, 0)}
    sizes |= {"operator 2 .DEQUANTIZE.: cannot make .1, 3. of .1, 4.": (0, -1)}
    for says, floats in sizes.items():
        with pytest.raises(InputFileError, match=says):
            lower(read_graph(with_floats(4, (0.5, 0), (0.25, 0), floats=floats)))
