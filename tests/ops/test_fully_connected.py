# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED: which layers take the pair kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.cortex_m4 import assert_bit_exact_on_cortex_m4, assert_bit_exact_on_cortex_m55
from support.op_cases import (
    Case,
    assert_bit_exact,
    assert_bit_exact_with_dsp_kernels,
    assert_bit_exact_with_mve_kernels,
    edge_inputs,
)
from support.op_rows.fully_connected import PAIRS, Layer, build
from support.op_table import only_op

from tinyproof.core.errors import InputFileError

PROOFS = [
    pytest.param(assert_bit_exact, marks=pytest.mark.nightly),
    assert_bit_exact_with_dsp_kernels,
    pytest.param(assert_bit_exact_with_mve_kernels, marks=pytest.mark.nightly),
    pytest.param(assert_bit_exact_on_cortex_m4, marks=pytest.mark.nightly),
    assert_bit_exact_on_cortex_m55,
]

# The autoencoder's layers, smaller; several rows; a scale for each unit.
TYPICAL: list[Layer] = [
    PAIRS,
    replace(PAIRS, depth=128, units=16, y=(0.2, -128), activation=1),
    replace(PAIRS, leading=(3, 2), keep=True),
    replace(PAIRS, weight_scales=(0.01, 0.02, 0.003, 0.004, 0.01, 0.009, 0.001, 0.01)),
]


@pytest.mark.parametrize("prove", PROOFS)
def test_typical_layers_take_the_pair_kernel(prove: Callable[[Sequence[Case]], None]) -> None:
    layers = [replace(layer, seed=seed) for seed in range(4) for layer in TYPICAL]
    assert {only_op(build(layer)).kernel for layer in layers} == {"conv_pairs_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(layer.rows * layer.depth, layer.seed)) for layer in layers])


# What takes no other kernel.
HOSTILE: list[dict[str, Any]] = [
    {"y": (0.0001, 5)},  # rescales by more than 1/2
    {"activation": 3, "y": (0.1, 5)},  # clamps
    {"depth": 67},
    {"units": 9},
    {"units": 1, "depth": 600, "leading": (5,)},
    {"lowest": -128, "units": 64},  # 256 b + a below -2^15
    {"depth": 700, "leading": (3,), "lowest": -128},  # sums beyond 2^23
]


@pytest.mark.parametrize("prove", PROOFS)
def test_no_layer_takes_another_kernel(prove: Callable[[Sequence[Case]], None]) -> None:
    layers = [replace(PAIRS, **changes, seed=seed) for seed in range(3) for changes in HOSTILE]
    assert {only_op(build(layer)).kernel for layer in layers} == {"conv_pairs_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(layer.rows * layer.depth, layer.seed)) for layer in layers])


def test_small_layers_are_inlined() -> None:
    assert only_op(build(replace(PAIRS, depth=56))).kernel == "fully_connected_s8"


def test_refuses_scales_for_some_of_the_units() -> None:
    with pytest.raises(InputFileError, match="2 scales for dimension 0"):
        only_op(build(replace(PAIRS, weight_scales=(0.1, 0.1))))
