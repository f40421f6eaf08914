# SPDX-License-Identifier: Apache-2.0
"""A kernel, or a part of one, that saves next to nothing in a model is left out of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.op_cases import Case, assert_bit_exact, assert_bit_exact_with_dsp_kernels, edge_inputs
from support.op_rows.convolution import SAME, Layer, add
from support.tflite_writer import Model

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.conv_pairs import BY_COLUMNS, Pairs
from tinyproof.export.ops.conv_planes import Planes

FEW = Layer((1, 16, 16, 1), units=3, y=(0.01, -128), activation=1)
MANY = Layer((1, 16, 16, 3), units=64, kernel=(5, 5), x=FEW.y)
THREE = Layer((1, 16, 16, 3), units=3, multiplier=1, y=FEW.y)


def build(*layers: Layer) -> bytes:
    model = Model()
    end = model.input(layers[0].shape, *layers[0].x)
    for layer in layers:
        end = add(model, end, layer)
    return model.build(end)


def kernels(tflite: bytes) -> list[str]:
    return [op.kernel for op in lower(read_graph(tflite)).ops]


def test_a_kernel_that_saves_next_to_nothing_is_left_out() -> None:
    assert kernels(build(FEW)) == ["conv_planes_s8"], "alone it saves much"
    both = build(FEW, MANY)
    assert kernels(both) == ["conv_pairs_s8"] * 2
    assert_bit_exact([Case("one kernel", both, edge_inputs(math.prod(FEW.shape), 1, 1))])


def test_a_kernel_that_a_layer_cannot_do_without_stays() -> None:
    assert kernels(build(THREE, MANY)) == ["conv_planes_s8", "conv_pairs_s8"]


def test_a_kernel_that_saves_much_stays() -> None:
    small = replace(MANY, shape=(1, 16, 16, 3), kernel=(1, 1), units=4)
    assert kernels(build(FEW, small)) == ["conv_planes_s8", "conv_pairs_s8"]


COLOURS = Layer((1, 16, 16, 3), units=8, y=(0.05, -4))  # rows of nine inputs would be filled up to twelve
ONCE = Layer((1, 12, 12, 8), units=8, multiplier=1, y=(0.02, -128), activation=1)
TWICE = replace(ONCE, y=(0.05, -4), activation=0)
FIVE = replace(ONCE, kernel=(5, 5))
ONCE_AFTER = replace(ONCE, shape=(1, 8, 8, 16), units=16)


def macros(tflite: bytes) -> list[str]:
    return sorted({macro for op in lower(read_graph(tflite)).ops for macro in op.kernel_macros})


def case(*layers: Layer) -> Case:
    return Case(str(layers), build(*layers), edge_inputs(math.prod(layers[0].shape), 1, 1))


def test_parts_of_a_kernel_that_no_layer_takes_are_left_out() -> None:
    assert kernels(build(ONCE)) == ["conv_planes_s8"]
    assert [macros(build(layer)) for layer in (ONCE, FIVE, TWICE)] == [
        [],
        ["PLANES_ANY"],
        ["PLANES_ANY", "PLANES_THREE_TWICE"],
    ]


def test_a_small_layer_does_not_bring_them_back() -> None:
    small = replace(TWICE, shape=(1, 8, 8, 16), units=16)
    large = (MANY, replace(MANY, shape=(1, 16, 16, 64), units=16, strides=(2, 2), padding=SAME))
    assert kernels(build(small)) == ["conv_planes_s8"]
    assert macros(build(small)) != []
    assert kernels(build(*large, small))[-1] == "depthwise_quads_s8"
    assert macros(build(*large, ONCE_AFTER, small)) == [BY_COLUMNS]  # of the first


def test_a_few_colours_do_not_bring_kernels_by_columns() -> None:
    few = replace(COLOURS, shape=(1, 6, 6, 3), units=4)
    assert macros(build(few)) == [BY_COLUMNS]
    assert macros(build(few, Layer((1, 6, 6, 4), units=64, kernel=(5, 5)), Layer((1, 6, 6, 64), units=64))) == []


@pytest.mark.parametrize("layers", [(ONCE,), (ONCE, replace(ONCE, strides=(2, 2), x=ONCE.y))], ids=["one", "strided"])
def test_what_is_left_is_enough(layers: tuple[Layer, ...]) -> None:
    assert macros(build(*layers)) == []
    assert_bit_exact_with_dsp_kernels([case(*layers)])


@pytest.mark.parametrize(("layout", "layer"), [(Planes, FIVE), (Pairs, COLOURS)])
def test_what_is_left_out_is_missed(layout: type, layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "kernel_macros", ())
    with pytest.raises(AssertionError, match="1 of 1 cases differ"):
        assert_bit_exact_with_dsp_kernels([case(layer)])
