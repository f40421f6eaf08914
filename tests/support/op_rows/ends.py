# SPDX-License-Identifier: Apache-2.0
"""DEQUANTIZE at the end of a model, QUANTIZE at its beginning: folded away, and the bits between are the same."""

from __future__ import annotations

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, quantizations, seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model


def with_floats(
    count: int, x: Quantization, y: Quantization, float_input: bool = True, floats: tuple[int, int] = (0, 0)
) -> bytes:
    """Floats, or int8, to RELU to floats; `floats`: how many more there are at the input and at the output."""
    model = Model()
    quantized = model.tensor((1, count), *x)
    if float_input:
        model.add("QUANTIZE", [model.input((1, count + floats[0]), dtype="float32")], [quantized])
    else:
        model.inputs.append(quantized)
    active, target = model.tensor((1, count), *y), model.tensor((1, count + floats[1]), dtype="float32")
    model.add("RELU", [quantized], [active])
    model.add("DEQUANTIZE", [active], [target])
    return model.build(target)


@st.composite
def folded(draw: st.DrawFn) -> Case:
    count, float_input = draw(st.integers(1, 40)), draw(st.booleans())
    x, y = draw(quantizations(1e-3, 2.0)), draw(quantizations(1e-3, 2.0))
    label = f"{count} {'floats' if float_input else 'int8'} {x} -> {y} -> floats"
    return Case(label, with_floats(count, x, y, float_input), edge_inputs(count, draw(seeds)))


def floats_inside() -> bytes:
    model = Model()
    source = model.input((1, 4), 0.5)
    floats, target = model.tensor((1, 4), dtype="float32"), model.tensor((1, 4), 0.25)
    model.add("DEQUANTIZE", [source], [floats])
    model.add("QUANTIZE", [floats], [target])
    return model.build(target)


ROWS = [Row("DEQUANTIZE", "any_quantization", folded(), count=30)]
REFUSALS = [Refusal("DEQUANTIZE", floats_inside(), "only where floats enter and leave")]
