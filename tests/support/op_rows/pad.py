# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2 of any size on any side, with the zero point or with any value."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model


def pad(
    name: str,
    shape: tuple[int, ...],
    pairs: list[tuple[int, int]],
    zero_point: int = 0,
    value: int | None = None,
    value_zero_point: int | None = None,
    dtype: str = "int32",
    output: tuple[int, ...] | None = None,
) -> bytes:
    model = Model()
    source = model.input(shape, 0.5, zero_point)
    paddings = model.tensor((len(pairs), 2), values=[size for pair in pairs for size in pair], dtype=dtype)
    operands = [source, paddings]
    if value is not None:
        operands.append(model.tensor((1,), 0.5, zero_point if value_zero_point is None else value_zero_point, [value]))
    padded = tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=False))
    target = model.tensor(output or padded, 0.5, zero_point)
    model.add(name, operands, [target])
    return model.build(target)


@st.composite
def pads(draw: st.DrawFn, name: str) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    sizes = st.sampled_from([0, 0, 0, 1, 2, 3])
    pairs = [(draw(sizes), draw(sizes)) for _ in shape]
    zero_point = draw(zero_points)
    value = draw(st.integers(-128, 127)) if name == "PADV2" else None
    tflite = pad(name, shape, pairs, zero_point, value)
    label = f"{name} {shape} {pairs} zero point {zero_point} value {value}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), 1))


ROWS = [
    Row("PAD", "any_size", pads("PAD")),
    Row("PADV2", "any_size_and_value", pads("PADV2")),
]
PAIRS = [(1, 1), (0, 0)]
REFUSALS = [
    Refusal("PAD", pad("PAD", (2, 2), [(0, -1), (0, 0)]), "pair of sizes"),
    Refusal("PAD", pad("PAD", (2, 2), [(1, 1)], output=(4, 2)), "pair of sizes"),
    Refusal("PAD", pad("PAD", (2, 2), PAIRS, output=(4, 3)), "does not follow"),
    Refusal("PAD", pad("PAD", (2, 2), PAIRS, dtype="int64"), "int32"),
    Refusal("PAD", pad("PAD", (1, 1, 1, 1, 1, 2), [(1, 1)] * 6), "1 to 5 dimensions"),
    Refusal("PADV2", pad("PADV2", (2, 2), [(0, 0), (-1, 0)], value=3), "pair of sizes"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, value=3, output=(4, 3)), "does not follow"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, value=3, value_zero_point=5), "scale and zero point"),
]
