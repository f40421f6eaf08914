# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2, against TFLite Micro."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from op_cases import Case, edge_inputs
from op_strategies import bit_exact, seeds, zero_points
from tflite_builder import Model

from export.lowering import lower
from pipeline.errors import InputFileError
from pipeline.tflite.reader import read_graph


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
def pads(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    sizes = st.sampled_from([0, 0, 0, 1, 2, 3])
    pairs = [(draw(sizes), draw(sizes)) for _ in shape]
    zero_point = draw(zero_points)
    value = draw(st.one_of(st.none(), st.integers(-128, 127)))
    tflite = pad("PAD" if value is None else "PADV2", shape, pairs, zero_point, value)
    label = f"PAD {shape} {pairs} zero point {zero_point} value {value}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), 1))


test_pad = bit_exact(pads(), count=80)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (pad("PAD", (2, 2), [(0, -1), (0, 0)]), "pair of sizes"),
        (pad("PAD", (2, 2), [(1, 1)], output=(4, 2)), "pair of sizes"),
        (pad("PAD", (2, 2), [(1, 1), (0, 0)], output=(4, 3)), "does not follow"),
        (pad("PAD", (2, 2), [(1, 1), (0, 0)], dtype="int64"), "int32"),
        (pad("PAD", (1, 1, 1, 1, 1, 2), [(1, 1)] * 6), "1 to 5 dimensions"),
        (pad("PADV2", (2, 2), [(1, 1), (0, 0)], value=3, value_zero_point=5), "scale and zero point"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    with pytest.raises(InputFileError, match=rf"operator 0 \(PAD(V2)?\): .*{says}"):
        lower(read_graph(tflite))
