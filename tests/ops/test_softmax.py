# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX from int8 to int8, against TFLite Micro."""

from __future__ import annotations

import random

import pytest
from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs, run_natively
from support.op_strategies import bit_exact, scales, seeds, zero_points
from support.tflite_writer import Model

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower


def softmax(
    shape: tuple[int, ...], x: tuple[float, int], beta: float = 1.0, y: tuple[float, int] = (1 / 256, -128)
) -> bytes:
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


test_softmax = bit_exact(softmaxes(), programs=2)


def test_every_distance_to_the_maximum() -> None:
    """Two elements, all 256 distances, three scales."""
    inputs = tuple(bytes([127, q & 0xFF]) for q in range(-128, 128))
    cases = st.sampled_from([Case(f"scale {s}", softmax((1, 2), (s, 0)), inputs) for s in (0.005, 0.0471, 0.9)])
    bit_exact(cases, count=3, programs=1)()


def test_many_equal_elements_answer_nothing() -> None:
    """TFLM aborts where over 512 elements equal the maximum; here each probability below 1/512 is 0."""
    case = Case("1024 equal", softmax((1, 1024), (0.1, 0)), (bytes(1024),))
    assert run_natively([case]) == [[b"\x80" * 1024]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"y": (1 / 255, -128)}, "1/256"),
        ({"y": (1 / 256, 0)}, "zero point -128"),
        ({"beta": 0.0}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"x": (1e-9, 0)}, "not supported"),
        ({"shape": (1, 4096)}, "4,096"),
    ],
)
def test_refuses(arguments: dict[str, object], says: str) -> None:
    values: dict[str, object] = {"shape": (1, 4), "x": (0.1, 0)} | arguments
    with pytest.raises(InputFileError, match=rf"operator 0 \(SOFTMAX\): .*{says}"):
        lower(read_graph(softmax(**values)))  # type: ignore[arg-type]
