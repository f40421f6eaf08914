# SPDX-License-Identifier: Apache-2.0
"""Where one rounding is said to be enough, it gives TFLite Micro's byte for every sum that can come."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tinyproof.core.tflite import arithmetic
from tinyproof.export import staircases
from tinyproof.export.ops.one_rounding import ONE_SHIFT, OneRounding, one_roundings, unit_factors
from tinyproof.export.ops.requantize_encoding import encode_multiplier
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import pair_scaling

RELU = (-128, (-128, 127))  # a zero point, and a clamp
AT_NIGHT = [pytest.param(*ends, marks=pytest.mark.nightly) for ends in ((-128, (-128, -20)), (3, (3, 127)))]


def once(accumulator: int, one: OneRounding, clamp: tuple[int, int]) -> int:
    y = (((accumulator + one.moved) * one.multiplier >> 32) + one.offset) >> ONE_SHIFT
    return min(max(y, clamp[0]), clamp[1])


def twice(accumulator: int, scaling: Scaling, unit: int) -> int:
    y = arithmetic.requantize(accumulator, scaling.multipliers[unit], scaling.shifts[unit]) + scaling.zero_point
    return min(max(y, scaling.clamp[0]), scaling.clamp[1])


def draw(
    source: random.Random, units: int, zero_point: int, clamp: tuple[int, int]
) -> tuple[list[tuple[int, ...]], Scaling]:
    rows = [tuple(source.randint(-127, 127) for _ in range(source.choice((9, 9, 9, 27)))) for _ in range(units)]
    rows = [(*row, *(0,) * (27 - len(row))) for row in rows]
    multipliers, shifts = zip(
        *(arithmetic.quantize_multiplier(2.0 ** -source.uniform(6, 12)) for _ in rows), strict=True
    )
    bias = tuple(source.randint(-9000, 9000) for _ in rows)
    return rows, Scaling(bias, multipliers, shifts, zero_point, clamp)


@pytest.mark.parametrize(("zero_point", "clamp"), [RELU, *AT_NIGHT, (-7, (-128, 127))])
def test_every_sum_gives_the_byte_of_two_roundings(zero_point: int, clamp: tuple[int, int]) -> None:
    source = random.Random(zero_point)
    rows, scaling = draw(source, 8, zero_point, clamp)
    found = one_roundings(tuple(rows), scaling)
    assert any(found) == (zero_point != -7)
    assert all(found) == (zero_point != -7)
    for unit, one in enumerate(found):
        low, high = (scaling.bias[unit] + sum(side(-128 * w, 127 * w) for w in rows[unit]) for side in (min, max))
        for accumulator in range(low, high + 1):
            assert one is None or once(accumulator, one, clamp) == twice(accumulator, scaling, unit)


def test_a_multiplier_that_is_one_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is tried at every threshold: a fault in the search is no fault of the answer."""
    rows, scaling = draw(random.Random(5), 4, *RELU)
    right = staircases._on_line
    monkeypatch.setattr(staircases, "_on_line", lambda slope, start, end: right(slope, start + slope, end + slope))
    one_roundings.cache_clear()
    try:
        assert not any(one_roundings(tuple(rows), scaling))
    finally:
        one_roundings.cache_clear()


def test_what_never_changes_needs_no_multiplier() -> None:
    scaling = Scaling((-5000, 70_000), (2**30, 2**30), (-6, -6), *RELU)
    assert one_roundings(((1, 2), (0, 0)), scaling) == (
        OneRounding(0, 0, -128 << ONE_SHIFT),
        OneRounding(0, 0, 127 << ONE_SHIFT),
    )


def test_sums_that_kernels_cannot_scale_take_two_roundings() -> None:
    row = (127,) * 27
    far = Scaling((2**23,), (2**30,), (-16,), *RELU)
    left = Scaling((0,), (2**30,), (0,), *RELU)
    steep = Scaling((0,), (2**30,), (-2,), *RELU)
    for scaling in (far, left, steep):
        assert one_roundings((row,), scaling) == (None,)
        factor = encode_multiplier(scaling.multipliers[0]), pair_scaling(scaling.shifts[0])
        assert unit_factors([row], scaling) == [(0, *factor)]


def test_channels_that_are_taken_together_have_one_form() -> None:
    rows, scaling = draw(random.Random(6), 4, *RELU)
    rows[2] = (127,) * 27
    steep = Scaling(scaling.bias, scaling.multipliers, (*scaling.shifts[:2], 0, scaling.shifts[3]), *RELU)
    assert [factor[1] >= 0 for factor in unit_factors(rows, steep)] == [True, True, False, True]
    assert [factor[1] >= 0 for factor in unit_factors(rows, steep, 2)] == [True, True, False, False]
    assert np.all([factor[1] < 0 for factor in unit_factors(rows, steep, 4)])
