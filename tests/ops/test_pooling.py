# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D: any window, stride and padding, against TFLite Micro."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from op_cases import Case, edge_inputs
from op_strategies import ACTIVATIONS, bit_exact, scales, seeds, zero_points
from tflite_builder import Model

from export.lowering import lower
from export.ops.pooling import reciprocal
from pipeline.errors import InputFileError
from pipeline.tflite.reader import read_graph

SAME, VALID = 0, 1


def pool(
    name: str,
    shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: int,
    quantization: tuple[float, int] = (0.5, 0),
    activation: int = 0,
    output: tuple[int, ...] | None = None,
    y: tuple[float, int] | None = None,
) -> bytes:
    def outputs(size: int, k: int, s: int) -> int:
        s = max(s, 1)
        return math.ceil(size / s) if padding == SAME else math.ceil((size - k + 1) / s)

    sizes = [outputs(*axis) for axis in zip(shape[1:3], window, stride, strict=True)]
    model = Model()
    source = model.input(shape, *quantization)
    target = model.tensor(output or (shape[0], *sizes, shape[3]), *(y or quantization))
    options: dict[str, Any] = {"padding": padding, "fusedActivationFunction": activation}
    options |= {"filterHeight": window[0], "filterWidth": window[1], "strideH": stride[0], "strideW": stride[1]}
    model.add(name, [source], [target], "Pool2DOptions", **options)
    return model.build(target)


@st.composite
def pools(draw: st.DrawFn, name: str) -> Case:
    window = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.sampled_from([SAME, VALID]))
    low = window if padding == VALID else (1, 1)
    size = tuple(draw(st.integers(least, least + 7)) for least in low)
    shape = (draw(st.integers(1, 2)), *size, draw(st.integers(1, 5)))
    quantization = (draw(scales(1e-2, 1.0)), draw(zero_points))
    activation = draw(st.sampled_from(ACTIVATIONS))
    tflite = pool(name, shape, window, stride, padding, quantization, activation)
    label = f"{name} {shape} window {window} stride {stride} padding {padding} {quantization} act {activation}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), extra=4), aliased=draw(st.booleans()))


test_average_pool = bit_exact(pools("AVERAGE_POOL_2D"))
test_max_pool = bit_exact(pools("MAX_POOL_2D"))


@st.composite
def global_pools(draw: st.DrawFn) -> Case:
    """One window over everything, up to some thousand elements."""
    shape = (1, draw(st.integers(1, 60)), draw(st.integers(1, 60)), draw(st.integers(1, 3)))
    tflite = pool("AVERAGE_POOL_2D", shape, shape[1:3], (1, 1), VALID)
    return Case(f"global {shape}", tflite, edge_inputs(math.prod(shape), draw(seeds)))


test_global_average = bit_exact(global_pools(), count=20, programs=1)


def test_reciprocals_divide_exactly() -> None:
    """Around every multiple, where an error of one shows, for all counts of small windows and some large ones."""
    for count in (*range(1, 700), 4095, 4096, 4097, 40_961, 65_535, 65_536):
        number, shift = reciprocal(count)
        assert number < 2**32
        for quotient in range(130):
            for m in (quotient * count - 1, quotient * count, quotient * count + count // 2):
                if 0 <= m <= 129 * count:
                    assert (m * number >> 31) < 2**32
                    assert (m * number >> 31) >> shift == m // count


def test_takes_the_place_of_its_input_only_where_that_is_safe() -> None:
    def in_place(*arguments: Any) -> bool:
        return lower(read_graph(pool("MAX_POOL_2D", *arguments))).ops[0].in_place

    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), VALID)
    assert in_place((1, 8, 8, 4), (2, 2), (1, 1), SAME)
    assert in_place((1, 8, 8, 4), (3, 3), (2, 2), SAME)
    assert not in_place((1, 8, 8, 4), (3, 3), (1, 1), SAME)  # the window reaches back over its answer's place


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"window": (0, 2)}, "window"),
        ({"stride": (2, -1)}, "stride"),
        ({"stride": (2, 0)}, "stride"),
        ({"window": (70000, 1), "padding": SAME}, "window"),
        ({"padding": 2}, "window"),
        ({"output": (1, 3, 2, 3)}, "does not follow"),
        ({"y": (0.25, 0)}, "scale"),
        ({"y": (0.5, 1)}, "zero point"),
        ({"activation": 5}, "SIGN_BIT"),
        ({"shape": (4, 4, 3, 1, 1), "output": (1, 2, 2, 3)}, "height"),
    ],
)
def test_refuses(changes: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"shape": (1, 4, 4, 3), "window": (2, 2), "stride": (2, 2), "padding": VALID}
    arguments |= changes
    with pytest.raises(InputFileError, match=rf"operator 0 \(MAX_POOL_2D\): .*{says}"):
        lower(read_graph(pool("MAX_POOL_2D", **arguments)))
