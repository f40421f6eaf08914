# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED: any size and quantization against TFLite Micro, natively and with the DSP kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.cortex_m4 import assert_bit_exact_on_cortex_m4
from support.dense import Layer, build, cases
from support.op_cases import Case, assert_bit_exact, assert_bit_exact_with_dsp_kernels, edge_inputs
from support.op_strategies import bit_exact

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.base import Op

test_natively = bit_exact(cases(), count=20)
test_with_dsp_kernels = bit_exact(cases(), count=60, prove=assert_bit_exact_with_dsp_kernels)
test_on_cortex_m4 = bit_exact(cases(), count=25, prove=assert_bit_exact_on_cortex_m4)

PAIRS = Layer(64, 8)


def op(layer: Layer) -> Op:
    return lower(read_graph(build(layer))).ops[0]


# The autoencoder's layers, smaller; several rows; a scale for each unit.
TYPICAL = [
    PAIRS,
    replace(PAIRS, depth=128, units=16, y=(0.2, -128), activation=1),
    replace(PAIRS, leading=(3, 2), keep=True),
    replace(PAIRS, weight_scales=(0.01, 0.02, 0.003, 0.004, 0.01, 0.009, 0.001, 0.01)),
]


@pytest.mark.parametrize("prove", [assert_bit_exact, assert_bit_exact_with_dsp_kernels, assert_bit_exact_on_cortex_m4])
def test_typical_layers_take_the_pair_kernel(prove: Any) -> None:
    layers = [replace(layer, seed=seed) for seed in range(4) for layer in TYPICAL]
    assert {op(layer).kernel for layer in layers} == {"fully_connected_pairs_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(layer.rows * layer.depth, layer.seed)) for layer in layers])


@pytest.mark.parametrize(
    "changes",
    [
        {"y": (0.0001, 5)},  # rescales by more than 1/2
        {"activation": 3, "y": (0.1, 5)},  # clamps
        {"depth": 68},
        {"units": 9},
        {"depth": 56},  # too small to be worth a kernel
        {"lowest": -128, "units": 64},  # 256 b + a below -2^15
    ],
)
def test_other_layers_take_the_general_kernel(changes: dict[str, Any]) -> None:
    assert op(PAIRS).kernel == "fully_connected_pairs_s8"
    assert op(replace(PAIRS, **changes)).kernel == "fully_connected_s8"


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({"activation": 4}, {}, "TANH"),
        ({"y": (1e-13, 0), "bias": False}, {}, "rescales"),
        ({"y": (1e-9, 0), "bias": False}, {}, "overflow"),
        ({"weight_scales": (0.1, 0.1)}, {}, "scales"),
        ({}, {"outputs": (1, 7)}, "do not fit"),
        ({}, {"weightsFormat": 1}, "shuffled"),
    ],
)
def test_refuses(changes: dict[str, Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputFileError, match=says):
        lower(read_graph(build(replace(PAIRS, **changes), **options)))
