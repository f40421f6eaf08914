# SPDX-License-Identifier: Apache-2.0
"""The algebra of the lesson: one neuron y = wx + b, mean squared error, plain gradient descent.

With m_xx = mean(x^2), m_x = mean(x), m_xy = mean(xy), m_y = mean(y) and m_yy = mean(y^2) the loss is the quadratic

    L(w, b) = w^2 m_xx + 2 w b m_x + b^2 - 2 w m_xy - 2 b m_y + m_yy

so five numbers describe it for any amount of data, and every curve of the report is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Moments:
    """Means over the data that determine the loss."""

    xx: float
    x: float
    xy: float
    y: float
    yy: float


@dataclass(frozen=True)
class Run:
    """A descent that was really computed: rmse[k] after k steps; `diverged` when it left the range of floats."""

    learning_rate: float
    w: list[float]
    b: list[float]
    rmse: list[float]
    diverged: bool


def moments(x: list[float], y: list[float]) -> Moments:
    """x, y: n numbers each, n >= 1."""
    n = len(x)
    return Moments(
        xx=math.fsum(a * a for a in x) / n,
        x=math.fsum(x) / n,
        xy=math.fsum(a * c for a, c in zip(x, y, strict=True)) / n,
        y=math.fsum(y) / n,
        yy=math.fsum(c * c for c in y) / n,
    )


def loss(m: Moments, w: float, b: float) -> float:
    """Mean squared error; never below 0, where rounding would put it at a perfect fit."""
    return max(0.0, w * w * m.xx + 2 * w * b * m.x + b * b - 2 * w * m.xy - 2 * b * m.y + m.yy)


def gradient(m: Moments, w: float, b: float) -> Point:
    """(dL/dw, dL/db)."""
    return 2 * (w * m.xx + b * m.x - m.xy), 2 * (w * m.x + b - m.y)


def best_w(m: Moments, b: float) -> float:
    """Bottom of the parabola along w at this b: dL/dw = 0. The parabola opens by m_xx, which must not be 0."""
    return (m.xy - b * m.x) / m.xx


def best_b(m: Moments, w: float) -> float:
    """Bottom of the parabola along b at this w: dL/db = 0."""
    return m.y - w * m.x


def determinant(m: Moments) -> float:
    """Variance of x: 0 when all x are equal, and then no single best line exists."""
    return m.xx - m.x * m.x


def best_fit(m: Moments) -> Point | None:
    """(w, b) of least squares, or None when every x is the same."""
    variance = determinant(m)
    if variance <= 1e-12 * max(1.0, m.xx):
        return None
    w = (m.xy - m.x * m.y) / variance
    return w, m.y - w * m.x


def curvatures(m: Moments) -> Point:
    """Eigenvalues (smallest, largest) of the Hessian 2 [[m_xx, m_x], [m_x, 1]]."""
    middle, spread = m.xx + 1, math.hypot(m.xx - 1, 2 * m.x)
    largest = middle + spread
    return 4 * determinant(m) / largest, largest


def stable_limit(m: Moments) -> float:
    """Learning rate from which gradient descent on this loss no longer converges: 2 / lambda_max."""
    return 2 / curvatures(m)[1]


def fastest_rate(m: Moments) -> float:
    """The fixed learning rate that shrinks the slowest direction most: 2 / (lambda_min + lambda_max)."""
    return 2 / sum(curvatures(m))


def descend(m: Moments, w: float, b: float, learning_rate: float, steps: int) -> Run:
    """Plain full-batch gradient descent; stops early once the loss is no longer a finite number."""
    ws, bs, errors = [w], [b], [math.sqrt(loss(m, w, b))]
    for _ in range(steps):
        slope_w, slope_b = gradient(m, w, b)
        w, b = w - learning_rate * slope_w, b - learning_rate * slope_b
        value = loss(m, w, b)
        if not math.isfinite(value):
            return Run(learning_rate, ws, bs, errors, True)
        ws.append(w)
        bs.append(b)
        errors.append(math.sqrt(value))
    return Run(learning_rate, ws, bs, errors, errors[-1] > errors[0])


def cancelling_pair(errors: list[float]) -> tuple[int, int] | None:
    """Indices of two errors of opposite sign that cancel best, the larger pair where several do; None if none does."""
    best: tuple[float, float, int, int] | None = None
    for i, first in enumerate(errors):
        for j in range(i + 1, len(errors)):
            second = errors[j]
            if first * second < 0:
                left = round(abs(first + second), 6)
                rank = (left, -abs(first) - abs(second), i, j)
                best = min(best, rank) if best else rank
    return (best[2], best[3]) if best else None


def contour(m: Moments, rmse: float, points: int = 120) -> list[Point]:
    """The ellipse of (w, b) on which the loss is rmse^2; empty where the loss is never that small.

    Around the best fit the loss is L_min + d^T A d, A = [[m_xx, m_x], [m_x, 1]]; with the Cholesky factor A = C C^T
    the ellipse is d = r C^-T (cos t, sin t), r^2 = rmse^2 - L_min.
    """
    centre = best_fit(m)
    if centre is None:
        return []
    radius_squared = rmse * rmse - loss(m, *centre)
    if radius_squared <= 0:
        return []
    radius, c11 = math.sqrt(radius_squared), math.sqrt(m.xx)
    c21 = m.x / c11
    c22 = math.sqrt(max(0.0, 1 - c21 * c21))
    ellipse = []
    for k in range(points + 1):
        angle = 2 * math.pi * k / points
        db = radius * math.sin(angle) / c22
        dw = (radius * math.cos(angle) - c21 * db) / c11
        ellipse.append((centre[0] + dw, centre[1] + db))
    return ellipse
