# SPDX-License-Identifier: Apache-2.0
"""The algebra behind the figures, against NumPy."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.report_build import X, Y

from tinyproof.report import lesson

M = lesson.moments(X, Y)
numbers = st.floats(-20, 20, allow_nan=False)
points = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12)


@given(points, numbers, numbers)
def test_loss_and_gradient_are_those_of_the_data(pairs: list[tuple[float, float]], w: float, b: float) -> None:
    x, y = (numpy.array(column) for column in zip(*pairs, strict=True))
    m = lesson.moments(x.tolist(), y.tolist())
    error = w * x + b - y
    size = 1 + float(numpy.max(error**2))
    assert lesson.loss(m, w, b) == pytest.approx(float(numpy.mean(error**2)), abs=1e-9 * size * 1e3)
    slope_w, slope_b = lesson.gradient(m, w, b)
    assert slope_w == pytest.approx(float(numpy.mean(2 * error * x)), abs=1e-6)
    assert slope_b == pytest.approx(float(numpy.mean(2 * error)), abs=1e-6)


def test_the_first_guess_of_the_lesson() -> None:
    assert math.sqrt(lesson.loss(M, 10, -10)) == pytest.approx(13.988, abs=5e-4)


@given(numbers)
def test_the_bottom_of_each_parabola_is_where_its_slope_is_zero(at: float) -> None:
    assert lesson.gradient(M, lesson.best_w(M, at), at)[0] == pytest.approx(0, abs=1e-9)
    assert lesson.gradient(M, at, lesson.best_b(M, at))[1] == pytest.approx(0, abs=1e-9)


def test_the_best_fit_is_the_rule_and_none_without_spread() -> None:
    assert lesson.best_fit(M) == pytest.approx((2, -1))
    assert lesson.best_fit(lesson.moments([3.0, 3.0], [1.0, 2.0])) is None


def test_curvatures_are_the_eigenvalues_of_the_hessian() -> None:
    hessian = numpy.array([[2 * M.xx, 2 * M.x], [2 * M.x, 2]])
    assert lesson.curvatures(M) == pytest.approx(numpy.linalg.eigvalsh(hessian).tolist())


def test_descents_below_the_limit_converge_and_above_it_diverge() -> None:
    limit = lesson.stable_limit(M)
    below = lesson.descend(M, 10, -10, limit * 0.99, 2000)
    above = lesson.descend(M, 10, -10, limit * 1.01, 2000)
    assert below.rmse[-1] < 1e-3
    assert not below.diverged
    assert above.diverged
    assert above.rmse[-1] > 1e6


def test_a_descent_that_leaves_the_floats_ends_without_an_infinity() -> None:
    run = lesson.descend(M, 10, -10, 1e6, 500)
    assert run.diverged
    assert all(map(math.isfinite, run.rmse + run.w + run.b))


def test_every_point_of_a_contour_has_its_loss() -> None:
    ellipse = lesson.contour(M, 3.5)
    assert len(ellipse) > 50
    for w, b in ellipse:
        assert math.sqrt(lesson.loss(M, w, b)) == pytest.approx(3.5, rel=1e-9)


def test_the_pair_that_cancels() -> None:
    errors = [10 * x - 10 - y for x, y in zip(X, Y, strict=True)]
    assert lesson.cancelling_pair(errors) == (0, 4)  # x = -1 is off by -17, x = 3 by +15
    assert lesson.cancelling_pair([1.0, 2.0]) is None
