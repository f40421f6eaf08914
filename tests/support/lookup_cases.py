# SPDX-License-Identifier: Apache-2.0
"""Operators that give each byte another one: cases with all 256 inputs for the tests of each."""

from __future__ import annotations

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_strategies import scales, zero_points
from support.tflite_writer import Model

FIXED_OUTPUTS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
ALL_BYTES = bytes(range(256))


def elementwise(name: str, x: tuple[float, int], y: tuple[float, int], count: int = 256, **values: float) -> bytes:
    model = Model()
    source = model.input((1, count), *x)
    target = model.tensor((1, count), *y)
    model.add(name, [source], [target], **values)
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
    return Case(label, elementwise(name, x, y, **values), (ALL_BYTES,))
