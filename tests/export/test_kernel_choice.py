# SPDX-License-Identifier: Apache-2.0
"""A kernel that saves next to nothing in a model is left out of it."""

from __future__ import annotations

import math
from dataclasses import replace

from support.op_cases import Case, assert_bit_exact, edge_inputs
from support.op_rows.convolution import Layer, add
from support.tflite_writer import Model

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower

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
