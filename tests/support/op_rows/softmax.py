# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX from int8 to int8."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, scales, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def softmax(shape: Shape, x: Quantization, beta: float = 1.0, y: Quantization = (1 / 256, -128)) -> bytes:
    model = Model()
    source = model.input(shape, *x)
    target = model.tensor(shape, *y)
    model.add("SOFTMAX", [source], [target], beta=beta)
    return model.build(target)


@st.composite
def softmaxes(draw: st.DrawFn) -> Case:
    rows, depth = draw(st.integers(1, 3)), draw(st.one_of(st.integers(1, 12), st.integers(13, 400)))
    x = (draw(scales(1e-3, 4.0)), draw(zero_points))
    beta = draw(st.sampled_from([1.0, 1.0, 0.5, 3.0]))
    count = rows * depth
    near = random.Random(draw(seeds))  # values near each other, where more than one answer is not 0
    inputs = [
        bytes(near.randrange(90, 128) for _ in range(count)),
        bytes(near.randrange(118, 128) for _ in range(count)),
    ]
    label = f"SOFTMAX {rows} x {depth}: {x} beta {beta}"
    shape = draw(st.sampled_from([(rows, depth), (1, rows, 1, depth)]))
    return Case(
        label, softmax(shape, x, beta), (*edge_inputs(count, draw(seeds)), *inputs), aliased=draw(st.booleans())
    )


ROWS = [Row("SOFTMAX", "any_depth", softmaxes(), programs=2)]
REFUSALS = [
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), y=(1 / 255, -128)), "1/256"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), y=(1 / 256, 0)), "zero point -128"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), beta=0.0), "beta"),
    Refusal("SOFTMAX", softmax((1, 4), (0.1, 0), beta=float("nan")), "beta"),
    Refusal("SOFTMAX", softmax((1, 4), (1e-9, 0)), "not supported"),
    Refusal("SOFTMAX", softmax((1, 4096), (0.1, 0)), "4,096"),
]
