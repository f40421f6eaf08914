# SPDX-License-Identifier: Apache-2.0
"""CONV_2D and DEPTHWISE_CONV_2D: which layers take the kernels for the DSP extension, and what those promise."""

from __future__ import annotations

import math
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
from support.op_rows.convolution import PAIRS, QUADS, VALID, Layer, build
from support.op_table import only_op

from tinyproof.core.errors import InputFileError
from tinyproof.export.ops.conv_pairs import pair_tables
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import PAIR_BYTES, packable, pair_scaling

PROOFS = [
    pytest.param(assert_bit_exact, marks=pytest.mark.nightly),
    assert_bit_exact_with_dsp_kernels,
    pytest.param(assert_bit_exact_with_mve_kernels, marks=pytest.mark.nightly),
    pytest.param(assert_bit_exact_on_cortex_m4, marks=pytest.mark.nightly),
    assert_bit_exact_on_cortex_m55,
]

# Quantizations of the input: with a round factor one rounding mostly is enough, with another rarely.
INPUTS = ((0.05, -3), (0.0517, -3))

# The four geometries of MLPerf Tiny's convolutions, small; odd counts of pixels, channels and outputs.
TYPICAL_PAIRS = [
    Layer((1, 13, 10, 1), (10, 4), 8, strides=(2, 2), y=(0.02, -128), activation=1),
    Layer((1, 5, 5, 16), (1, 1), 12, y=(0.02, -128), activation=1),
    Layer((1, 9, 9, 3), (3, 3), 7, strides=(2, 2), y=(0.02, 0)),
    Layer((1, 8, 8, 16), (3, 3), 16, y=(0.03, -20)),
    Layer((1, 7, 7, 12), (1, 1), 5, strides=(2, 2), y=(0.02, 3)),
    Layer((2, 3, 3, 20), (3, 3), 1, padding=VALID, y=(0.03, 0)),
]
TYPICAL_QUADS = [
    replace(QUADS, shape=(1, 4, 5, 16), units=16),
    replace(QUADS, strides=(2, 2)),
    replace(QUADS, shape=(2, 3, 3, 16), units=16, y=(0.01, 7), activation=0),
    replace(QUADS, kernel=(5, 1), padding=VALID),
    replace(QUADS, dilations=(2, 2)),
    replace(QUADS, shape=(2, 8, 8, 17), kernel=(7, 7), units=17, padding=VALID),
    replace(QUADS, shape=(1, 5, 4, 7), kernel=(5, 5), units=14, multiplier=2, strides=(2, 2), dead=3),
    replace(QUADS, shape=(1, 5, 4, 7), units=21, multiplier=3, padding=VALID, y=(0.0001, 3), lowest=-128),
]
TYPICAL = [("conv_pairs_s8", TYPICAL_PAIRS), ("depthwise_quads_s8", TYPICAL_QUADS)]


@pytest.mark.parametrize("prove", PROOFS)
@pytest.mark.parametrize(("kernel", "typical"), TYPICAL, ids=["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_typical_layers_take_the_kernels_for_the_dsp_extension(
    kernel: str, typical: list[Layer], prove: Callable[[Sequence[Case]], None]
) -> None:
    layers = [replace(layer, seed=seed, x=INPUTS[seed % 2]) for seed in range(4) for layer in typical]
    assert {only_op(build(layer)).kernel for layer in layers} == {kernel}
    prove([Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), layer.seed)) for layer in layers])


def test_a_wrong_bit_is_seen_on_cortex_m4(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = replace(PAIRS, x=INPUTS[1])
    case = Case("one off", build(layer), edge_inputs(math.prod(layer.shape), 1))
    monkeypatch.setattr("tinyproof.export.ops.simd_packing.encode_shift", lambda shift: -shift)
    with pytest.raises(AssertionError, match="1 of 1 cases differ"):
        assert_bit_exact_on_cortex_m4([case])


# What training, or somebody hostile, makes of a layer. None of it takes another kernel.
HOSTILE: list[dict[str, Any]] = [
    {"y": (0.0001, 5)},  # rescales by more than 1/2
    {"y": (0.00001, 5), "lowest": -128},
    {"activation": 3, "y": (0.1, 5)},  # clamps
    {"activation": 2, "y": (0.02, -3)},
    {"lowest": -128, "units": 7},  # 256 b + a below -2^15
    {"dead": 3},  # biases beyond 2^23
    {"shape": (1, 4, 4, 80), "units": 5, "lowest": -128, "dead": 1},  # sums beyond 2^23
    {"shape": (1, 1, 2, 300), "units": 6},
    {"shape": (1, 9, 1, 5), "kernel": (4, 1)},
    {"shape": (2, 3, 2, 7), "kernel": (1, 1), "units": 3},
    {"dilations": (1, 2), "units": 12},
]


@pytest.mark.parametrize("prove", PROOFS)
def test_no_layer_takes_another_kernel(prove: Callable[[Sequence[Case]], None]) -> None:
    layers = [replace(PAIRS, **changes, seed=seed, x=INPUTS[seed % 2]) for seed in range(3) for changes in HOSTILE]
    assert {only_op(build(layer)).kernel for layer in layers} == {"conv_pairs_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), layer.seed)) for layer in layers])


# Depthwise layers that training, or somebody hostile, makes of one; and few channels, which go one by one, too.
CHANNELS: list[dict[str, Any]] = [
    {"y": (0.0001, -128)},
    {"y": (0.00001, -128), "lowest": -128},
    {"activation": 3, "y": (0.1, -128)},
    {"activation": 3, "y": (0.1, -128), "strides": (3, 3)},
    {"shape": (1, 3, 3, 16), "units": 16, "y": (0.0001, 3), "weight_scales": tuple(2.0**-k for k in range(16))},
    {"multiplier": 2, "units": 16},
    {"shape": (1, 6, 5, 7), "units": 7, "dead": 2},
    {"shape": (2, 9, 8, 3), "units": 24, "multiplier": 8, "kernel": (5, 4)},
    {"shape": (1, 9, 40, 1), "units": 3, "multiplier": 3, "kernel": (2, 1)},
    {"shape": (1, 40, 1, 5), "units": 5, "kernel": (6, 1), "strides": (2, 1)},
    {"shape": (1, 7, 21, 5), "units": 5, "dilations": (2, 3), "padding": VALID},
    {"shape": (1, 7, 21, 5), "units": 5, "dilations": (1, 2), "strides": (1, 2)},
    {"shape": (1, 3, 7, 9), "kernel": (1, 2), "units": 9, "strides": (2, 1)},  # sums as far apart as pixels
    {"shape": (2, 9, 12, 3), "kernel": (1, 1), "units": 3, "strides": (2, 2)},
    {"shape": (2, 9, 12, 3), "kernel": (1, 3), "units": 6, "multiplier": 2, "strides": (2, 2)},
    {"shape": (1, 1, 1500, 2), "units": 2, "kernel": (1, 9)},  # in parts
    {"shape": (1, 12, 9, 4), "units": 1, "multiplier": 0},
    {"shape": (1, 12, 12, 3), "units": 2, "multiplier": 0, "dead": 1},
]


@pytest.mark.parametrize("prove", PROOFS)
def test_channels_of_any_number_go_one_by_one(prove: Callable[[Sequence[Case]], None]) -> None:
    layers = [replace(QUADS, **changes, seed=seed, x=INPUTS[seed]) for seed in range(2) for changes in CHANNELS]
    kernels = {only_op(build(layer)).kernel for layer in layers}
    assert "conv_planes_s8" in kernels
    assert kernels <= {"conv_planes_s8", "conv_pairs_s8", "depthwise_quads_s8"}
    prove([Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), layer.seed)) for layer in layers])


def test_pairs_are_numbers_only_where_no_sum_can_reach_2_to_the_23() -> None:
    row = (127,) * 516
    assert packable(row, row)
    assert not packable((*row, 127), (*row, 127))
    assert packable((-1,), (-127,))
    assert not packable((-1,), (-128,))
    assert packable((0,), (-128,))


def test_pairs_hold_both_rows() -> None:
    rows = [(1, -2, 3, -4), (5, 6, -7, -8), (-1, -1, 0, 0), (-128, 1, 2, 3), (9, 9, 9, 9)]
    scaling = Scaling((100_000, -3, 0, 0, 7), (2**30,) * 5, (-1, -9, 0, 3, -2), 0, (-128, 127))
    weights, scales = pair_tables(rows, scaling)
    numbers = [1, 5, 3, -7, -2, 6 - 1, -4, -8 - 1]
    assert weights.values == [*numbers, -1, -128, 0, 2, -1, 1, 0, 3, 9, 0, 9, 0, 9, 0, 9, 0]
    assert scales.values[:6] == [100_000, -3, -(2**31), -(2**31), 0, 8]
    assert scales.values[10] & PAIR_BYTES
    assert not scales.values[4] & PAIR_BYTES
    assert scales.values[10:12] == [pair_scaling(0) | 3 << 29, pair_scaling(3)]
    assert scales.values[12:] == [7, 0, -(2**31), -(2**31), 1, 0]


def test_refuses_scales_for_some_of_the_channels() -> None:
    with pytest.raises(InputFileError, match="2 scales for dimension 0"):
        only_op(build(replace(PAIRS, weight_scales=(0.1, 0.1))))


@pytest.mark.parametrize("prove", [assert_bit_exact, assert_bit_exact_with_dsp_kernels, assert_bit_exact_on_cortex_m55])
def test_outputs_begin_where_an_input_does_that_nobody_reads(prove: Callable[[Sequence[Case]], None]) -> None:
    """All taps are outside of the image: only the kernels that keep rows may take that for being in place."""
    quads = Layer((1, 1, 7, 4), (2, 5), 4, 1, strides=(3, 3), dilations=(3, 1), y=(0.37, 0))
    planes = replace(quads, shape=(1, 1, 7, 3), units=6, multiplier=2)
    prove([Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), 5, 1)) for layer in (quads, planes)])
