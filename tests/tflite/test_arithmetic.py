# SPDX-License-Identifier: Apache-2.0
"""Quantization as float32 has it, the same for one value as for an array of them; and sums that fit 32 bits."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyproof.core.tflite.arithmetic import (
    at_end,
    dequantize,
    fits_32_bits,
    float32,
    quantize,
    requantize,
    saturates,
)
from tinyproof.core.tflite.arrays import quantize_array, saturates_array
from tinyproof.core.tflite.fixed_point import doubling_high_multiply

SCALES = (1.0, 0.125, 20 / 255, 0.158, 1e-30, 3e30, float(np.float32(1e-45)))
ZERO_POINTS = (-128, -1, 0, 7, 127)
EXTREMES = [0.0, -0.0, math.inf, -math.inf, math.nan, 3.4e38, -3.4e38, 1e300, -1e300, 1e-45, -1e-45, 1e-300]

finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
zero_points = st.integers(-128, 127)


@given(finite32, st.floats(2**-20, 2**20, width=32), zero_points)
def test_quantization_is_float32s(x: float, scale: float, zero_point: int) -> None:
    with np.errstate(over="ignore"):
        quotient = float(np.float32(x) / np.float32(scale))
    rounded = math.copysign(math.floor(abs(quotient) + 0.5), quotient) if math.isfinite(quotient) else quotient
    q = quantize(x, scale, zero_point)
    assert q == max(-128, min(127, rounded + zero_point))
    assert saturates(x, scale, zero_point) == (not -128 <= rounded + zero_point <= 127)
    y = np.float32(scale) * (np.float32(q) - np.float32(zero_point))
    assert np.float32(dequantize(q, scale, zero_point)).tobytes() == y.tobytes()


def test_what_is_beyond_float32_is_infinite() -> None:
    assert (float32(1e300), float32(-1e300)) == (math.inf, -math.inf)
    assert math.isnan(float32(math.nan))


def test_an_end_that_is_the_zero_point_is_no_saturation() -> None:
    assert at_end(127, 0)
    assert at_end(-128, 0)
    assert not at_end(-128, -128)
    assert not at_end(126, 0)


def ties(scale: float) -> np.ndarray:
    """Halves of a step, and their float32 neighbours: what another way of rounding, or of dividing, gets wrong."""
    exact = (np.arange(-300, 300) + 0.5).astype(np.float32) * np.float32(scale)
    return np.concatenate([np.nextafter(exact, np.float32(-np.inf)), exact, np.nextafter(exact, np.float32(np.inf))])


@pytest.mark.parametrize("zero_point", ZERO_POINTS)
@pytest.mark.parametrize("scale", SCALES)
def test_arrays_and_single_values_agree(scale: float, zero_point: int) -> None:
    generator = np.random.default_rng(3)
    with np.errstate(over="ignore"):
        spread = generator.uniform(-300, 300, 2000).astype(np.float32) * np.float32(scale)
    any_bits = generator.integers(0, 2**32, 2000, np.uint32).view(np.float32)  # NaN, denormals and infinities, too
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.concatenate([np.array(EXTREMES), ties(scale), spread, any_bits])
    q = quantize_array(values, scale, zero_point)
    assert q.dtype == np.int8
    assert q.tolist() == [quantize(float(value), scale, zero_point) for value in values]
    clamped = saturates_array(values, scale, zero_point)
    assert clamped.tolist() == [saturates(float(value), scale, zero_point) for value in values]


@pytest.mark.parametrize("zero_point", ZERO_POINTS)
@pytest.mark.parametrize("scale", [*SCALES, 3.4e38])
def test_values_come_back_as_float32_has_them(scale: float, zero_point: int) -> None:
    q = np.arange(-128, 128)
    with np.errstate(over="ignore"):  # infinite, as in C
        y = np.float32(scale) * (q.astype(np.float32) - np.float32(zero_point))
    assert y.tolist() == [dequantize(int(value), scale, zero_point) for value in q]


def test_arrays_keep_their_shape() -> None:
    assert quantize_array(np.zeros((2, 3, 4)), 0.1, 0).shape == (2, 3, 4)


def test_sums_fit_32_bits_where_no_step_of_their_rescaling_leaves_them() -> None:
    r = random.Random(4)
    taken = 0
    for _ in range(20_000):
        reach, multiplier, shift = r.getrandbits(r.randint(1, 40)), r.randrange(2**30, 2**31), r.randint(-31, 40)
        room = r.choice([256, 2**16])
        left, right = max(shift, 0), max(-shift, 0)
        largest = max(reach << left, doubling_high_multiply(reach << left, multiplier) + (1 << right >> 1) + room)
        if fits_32_bits(reach, multiplier, shift, room):
            taken += 1
            assert largest <= 2**31
            assert abs(requantize(-reach, multiplier, shift)) + room <= 2**31
        else:
            assert shift > 30 or largest >= 2**31 - 1
    assert 4_000 < taken < 16_000
