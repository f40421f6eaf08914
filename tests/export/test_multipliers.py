# SPDX-License-Identifier: Apache-2.0
"""From scales to multipliers: the last bit decides at exact ties, so the wheel is asked at exact ties."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.arithmetic import dequantize, float32, quantize, quantize_multiplier, requantize
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift


def tie_model(seed: int, ratio: float, channels: int) -> tuple[bytes, float, list[float], float]:
    """y_q = 5 x_q * ratio, where 5 x_q * ratio is often half-way between integers but for the last bit of a scale."""
    r = random.Random(seed)
    source = float32(r.uniform(0.005, 0.2))
    weights = [float32(r.uniform(0.001, 0.05))] * channels
    target = float32(source * weights[0] / ratio)
    model = Model()
    x, y = model.input((1, 1), source), model.tensor((1, channels), target)
    model.add_dense(x, y, [[5]] * channels, weights)
    return model.build(y), source, weights, target


@pytest.mark.parametrize("channels", [1, 3])
def test_multipliers_are_the_wheels_at_ties(channels: int) -> None:
    telling = 0
    for seed in range(150):
        tflite, source, weights, target = tie_model(seed, random.Random(seed).choice([0.7, 0.5, 0.9, 0.3]), channels)
        in_double = quantize_multiplier(source * weights[0] / target)
        in_float32 = quantize_multiplier(float32(source * weights[0]) / target)
        for x in range(-25, 26):
            ours, other = requantize(5 * x, *in_double), requantize(5 * x, *in_float32)
            if ours != other:
                telling += 1
                packed = struct.pack("b", x)
                expected = struct.pack("b", ours) * channels
                assert Reference(tflite, "tflite-micro").run(packed) == expected
                assert Reference(tflite, "python").run(packed) == expected
    assert telling > 20, "no case told the two formulas apart"


@given(st.floats(min_value=2.0**-31, max_value=2.0**29, allow_nan=False))
def test_a_multiplier_is_normalized_and_close(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(real, rel=2**-31)
    assert -(2**31) <= encode_multiplier(multiplier) < 2**31
    assert -128 <= encode_shift(shift) <= 127


def test_multipliers_at_the_edges() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(2.0**-40) == (0, 0)
    assert quantize_multiplier(1.0) == (2**30, 1)
    assert quantize_multiplier(1 - 2.0**-40) == (2**30, 1), "rounds up to the next power of two"


def test_rounding_is_twice_and_each_in_its_own_direction() -> None:
    half = 2**30  # multiplier 0.5
    assert [requantize(a, half, 0) for a in (1, -1, 3, -3)] == [1, 0, 2, -1]  # ties toward +infinity
    assert [requantize(2 * a, half, -1) for a in (1, -1, 3, -3)] == [1, -1, 2, -2]  # ties away from zero
    assert requantize(3, half, -1) == 1, "1.5 rounds to 2, then 1 to 1; once would give 1 (0.75)"
    assert requantize(1, half, -1) == 1, "0.5 rounds to 1, then 0.5 to 1; once would give 0 (0.25)"


@given(st.integers(-128, 127), st.floats(1e-6, 1e3), st.integers(-128, 127))
def test_quantizing_a_dequantized_value_gives_it_back(q: int, scale: float, zero_point: int) -> None:
    scale = float32(scale)
    assert quantize(dequantize(q, scale, zero_point), scale, zero_point) == q


@pytest.mark.parametrize(("real", "q"), [(1e30, 127), (-1e30, -128), (0.25, 1), (-0.25, -1), (0.75, 2)])
def test_quantize_rounds_away_from_zero_and_saturates(real: float, q: int) -> None:
    assert quantize(real, 0.5, 0) == q
