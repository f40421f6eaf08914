# SPDX-License-Identifier: Apache-2.0
"""The C that judges the kernels, against the arithmetic that Google's interpreter has judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyproof.core.tflite import arithmetic, fixed_point
from tinyproof.export.ops.one_rounding import unit_factors
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import pair_scaling
from tinyproof.prove.requantization import fits
from tinyproof.prove.sweeps import Sweeps, intervals
from tinyproof.prove.symbolic import ENGINE, REQUANTIZED, RESCALED_PAIR
from tinyproof.prove.verdicts import Rescaling


@pytest.fixture(scope="module")
def sweeps() -> Sweeps:
    return Sweeps(ENGINE)


@given(st.integers(-(2**27), 2**27), st.integers(2**30, 2**31 - 1), st.integers(-31, 3))
@example(-1, 2**30, -1)
@example(3, 2**30, -1)
@example(-3, 2**30, -1)
def test_rescaling(sweeps: Sweeps, x: int, multiplier: int, shift: int) -> None:
    assert sweeps.reference(x, multiplier, shift) == arithmetic.requantize(x, multiplier, shift)


@given(st.integers(0, 2**31 - 1))
def test_reciprocal(sweeps: Sweeps, a: int) -> None:
    assert sweeps.reciprocal(a) == fixed_point.one_over_one_plus(a)


@pytest.mark.parametrize("shift", [-9, -1, 0, 2])
def test_a_sweep_counts_each_wrong_sum(sweeps: Sweeps, shift: int) -> None:
    multiplier, zero_point, reach = 1_518_500_251, -7, (-40_000, 30_000)
    pair = (encode_multiplier(multiplier), pair_scaling(shift), 1 + 2 * zero_point, 0)
    plain = (encode_multiplier(multiplier), encode_shift(shift), int(shift < 0), zero_point)
    wanted = (multiplier, shift, zero_point, -128, 100)
    for tail, parameters in ((RESCALED_PAIR, pair), (REQUANTIZED, plain)):
        assert fits(Rescaling(tail, parameters, (-128, 100), wanted), reach)
        assert sweeps.rescaled(tail, parameters, (-128, 100), wanted, reach)[0] == 0
        other = (multiplier + 30_000, *wanted[1:])
        counted, first = sweeps.rescaled(tail, parameters, (-128, 100), other, reach)
        right = [answer(x, wanted) != answer(x, other) for x in range(reach[0], reach[1] + 1)]
        assert counted == sum(right)
        assert not counted or right[first - reach[0]]


def test_one_rounding_is_swept_with_what_it_adds_to_the_sum(sweeps: Sweeps) -> None:
    scaling = Scaling((0,), (1_518_500_251,), (-7,), -128, (-128, 127))
    wanted = (scaling.multipliers[0], scaling.shifts[0], scaling.zero_point, *scaling.clamp)
    ((moved, multiplier, offset),) = unit_factors([(100, -3)], scaling)
    assert multiplier > 0
    assert moved > 0
    reach = (-13_184, 13_084)
    for numbers in ((moved, multiplier, offset), (moved + 9, multiplier, offset), (moved, multiplier, offset + 1)):
        parameters = (numbers[1], numbers[2], -255, numbers[0])
        assert fits(Rescaling(RESCALED_PAIR, parameters, scaling.clamp, wanted), reach)
        wrong, _ = sweeps.rescaled(RESCALED_PAIR, parameters, scaling.clamp, wanted, reach)
        assert (wrong == 0) == (numbers == (moved, multiplier, offset))
    assert not fits(Rescaling(RESCALED_PAIR, (multiplier, 2**31 - 2, 0, moved), scaling.clamp, wanted), reach)


def answer(x: int, wanted: tuple[int, ...]) -> int:
    multiplier, shift, zero_point, low, high = wanted
    return min(max(arithmetic.requantize(x, multiplier, shift) + zero_point, low), high)


def test_sums_that_may_leave_32_bits_are_not_swept() -> None:
    pair = (encode_multiplier(2**30), pair_scaling(8), 1, 0)
    rescaling = Rescaling(RESCALED_PAIR, pair, (-128, 127), (2**30, 8, 0, -128, 127))
    assert fits(rescaling, (-(2**22), 2**22))
    assert not fits(rescaling, (-(2**23), 2**23))


def test_intervals_are_those_of_all_bytes() -> None:
    starts, coefficients = np.array([0, 2, 2, 3]), np.array([3, -2, -1])
    low, high = intervals(starts, coefficients, np.array([5, 9, 0]))
    assert low.tolist() == [5 - 384 - 254, 9, -127]
    assert high.tolist() == [5 + 381 + 256, 9, 128]
