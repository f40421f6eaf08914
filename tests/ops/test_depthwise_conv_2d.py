# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: any geometry, multiplier and quantization against TFLite Micro, natively and on a Cortex-M4."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from support.convolutions import VALID, Layer, build, cases
from support.cortex_m4 import assert_bit_exact_on_cortex_m4
from support.op_cases import Case, assert_bit_exact, assert_bit_exact_with_dsp_kernels, edge_inputs
from support.op_strategies import bit_exact

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.base import Op

test_natively = bit_exact(cases(depthwise=True))
test_with_dsp_kernels = bit_exact(cases(depthwise=True), count=100, prove=assert_bit_exact_with_dsp_kernels)
test_on_cortex_m4 = bit_exact(cases(depthwise=True), prove=assert_bit_exact_on_cortex_m4)

QUADS = Layer((1, 6, 5, 8), units=8, multiplier=1, y=(0.01, -128), activation=1)


def op(layer: Layer) -> Op:
    return lower(read_graph(build(layer))).ops[0]


TYPICAL = [
    QUADS,
    replace(QUADS, strides=(2, 2)),
    replace(QUADS, shape=(2, 3, 3, 16), units=16, y=(0.01, 7), activation=0),
    replace(QUADS, kernel=(5, 1), padding=VALID),
    replace(QUADS, dilations=(2, 2)),
]


@pytest.mark.parametrize("prove", [assert_bit_exact, assert_bit_exact_with_dsp_kernels, assert_bit_exact_on_cortex_m4])
def test_typical_layers_take_four_channels_at_a_time(prove: Any) -> None:
    layers = [replace(layer, seed=seed) for seed in range(4) for layer in TYPICAL]
    assert {op(layer).kernel for layer in layers} == {"depthwise_quads_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), layer.seed)) for layer in layers])


@pytest.mark.parametrize(
    "changes",
    [
        {"y": (0.0001, -128)},
        {"activation": 3, "y": (0.1, -128)},
        {"multiplier": 2, "units": 16},
        {"shape": (1, 6, 5, 7), "units": 7},
    ],
)
def test_other_layers_take_the_general_kernel(changes: dict[str, Any]) -> None:
    assert op(replace(QUADS, **changes)).kernel == "depthwise_conv_s8"


def test_refuses_weights_that_do_not_fit_the_multiplier() -> None:
    with pytest.raises(InputFileError, match=r"operator 0 \(DEPTHWISE_CONV_2D\): weights .* times 3"):
        lower(read_graph(build(replace(QUADS, multiplier=3))))


def test_refuses_a_bias_that_is_left_out() -> None:
    """TFLite Micro ends with a segmentation fault, in an export as on a board."""
    with pytest.raises(InputFileError, match=r"operator 0 \(DEPTHWISE_CONV_2D\): .* give it a bias"):
        lower(read_graph(build(replace(QUADS, bias=False, bias_named=True))))
