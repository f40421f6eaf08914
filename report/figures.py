# SPDX-License-Identifier: Apache-2.0
"""The lesson's figures, from the trace of the training and the algebra of its loss. Everything here is data."""

from __future__ import annotations

import math

from tinyproof.report import lesson
from tinyproof.report.build_data import Lesson
from tinyproof.report.chart import Axis, Bars, Dots, Figure, Line, Mark, Point, Segments, padded

CURVE_POINTS = 97
DESCENT_STEPS = 60  # of the short runs that compare learning rates
DIVERGED_HEIGHT = 1e6  # the axis ends at this many times the first error


def lesson_figures(data: Lesson) -> list[Figure]:
    """In the order of the lesson: guess, errors, squares, descent, parabolas, path, learning rates."""
    figures = [guess(data), predicted(data), squares(data), descent(data)]
    if data.moments.xx > 0:
        figures += [parabola(data, "w"), parabola(data, "b"), path(data), rates(data)]
    return figures


def guess(data: Lesson) -> Figure:
    """The first guess as a line beside the points, and how far it is from each."""
    first, last = data.trace[0], data.trace[-1]
    x_axis = Axis("x", *padded(data.x, 0.12))
    ends = (x_axis.low, x_axis.high)
    values = [first.w * x + first.b for x in data.x] + data.y
    shown = list(zip(data.x, data.y, strict=True))
    marks: list[Mark] = [
        Line([(x, last.w * x + last.b) for x in ends], "target", "line after the last step", 1.8, dash=True),
        Segments([((x, y), (x, first.w * x + first.b)) for x, y in shown], "error", "error", 2.2, move="residuals"),
        Line([(x, first.w * x + first.b) for x in ends], "model", "line now, y = wx + b", 2.6, move="line"),
        Dots(shown, "data", "data", 4.5),
    ]
    return Figure(
        "guess",
        "The data, the line, and how far off it is",
        f"Data points with the first guess y = {first.w:g}x + ({first.b:g}), vertical bars for its errors, "
        "and the line that training ends with.",
        "Each vertical bar is an error: the distance from what the line says to what the answer is. "
        "Training turns and shifts the line until the bars are short.",
        x_axis,
        Axis("y", *padded(values)),
        marks,
        moves=True,
    )


def predicted(data: Lesson) -> Figure:
    """Each prediction of the first guess against the true answer."""
    first = data.trace[0]
    pairs = [(y, first.w * x + first.b) for x, y in zip(data.x, data.y, strict=True)]
    low, high = padded(data.y, 0.15)
    return Figure(
        "predicted",
        "Prediction beside answer",
        "Predictions of the first guess against the true answers, with the diagonal on which both are equal.",
        "On the diagonal, prediction and answer agree. The dots start far from it and settle on it.",
        Axis("answer y", low, high),
        Axis("prediction wx + b", *padded([p for _, p in pairs] + data.y)),
        [
            Line([(low, low), (high, high)], "target", "prediction = answer", 1.8, dash=True),
            Dots(pairs, "model", "prediction now", 5.5, move="predictions"),
        ],
        moves=True,
    )


def squares(data: Lesson) -> Figure:
    """The squares whose mean is the loss of the first guess, each as large as it counts."""
    first = data.trace[0]
    errors = [first.w * x + first.b - y for x, y in zip(data.x, data.y, strict=True)]
    gap = min((b - a for a, b in zip(sorted(set(data.x)), sorted(set(data.x))[1:], strict=False)), default=1.0)
    points = list(zip(data.x, errors, strict=True))
    mean = math.fsum(errors) / len(errors)
    x_axis = Axis("x", *padded(data.x, 0.12))
    ends = (x_axis.low, x_axis.high)
    low, high = padded([*errors, first.rmse, 0.0])
    return Figure(
        "squares",
        "Why the errors are squared",
        f"Signed errors of the first guess as bars. Their plain average is {mean:.3f}; "
        f"the root of the mean square is {first.rmse:.3f}.",
        "Errors above and below zero cancel in a plain average. Squared, none can hide: the root mean square stays "
        "large until every bar is short.",
        x_axis,
        Axis("prediction − answer", low, high),
        [
            Bars(points, gap * 0.5, "error", "error", move="errors"),
            Line([(x, mean) for x in ends], "extra", "plain average", 2.4, dash=True, move="mean"),
            Line([(x, first.rmse) for x in ends], "model", "root mean square (RMSE)", 2.4, move="rmse-level"),
        ],
        moves=True,
        live=f"plain average {mean:.3f}, RMSE {first.rmse:.3f}",
    )


def descent(data: Lesson) -> Figure:
    """The error against the training step, on a logarithmic axis."""
    points = [(float(row.step), max(row.rmse, 1e-9)) for row in data.trace]
    heights = [y for _, y in points]
    low, high = 10 ** math.floor(math.log10(min(heights))), max(heights) * 1.35
    return Figure(
        "descent",
        "The error, step by step",
        f"Root mean squared error against training step on a logarithmic axis, from {points[0][1]:.3f} "
        f"at the first guess to {points[-1][1]:.4g} at the end.",
        "Fast at first, then slower. On this logarithmic axis a straight piece means that every step removes "
        "the same share of the error that is left.",
        Axis("training step", points[0][0], max(points[-1][0], points[0][0] + 1)),
        Axis("RMSE (units of y)", low, high, log=True),
        [
            Line(points, "faint", "whole training", 1.6),
            Line(points[:1], "model", "so far", 2.8, move="rmse-trail"),
            Dots(points[:1], "model", "now", 6, move="rmse-dot"),
        ],
        moves=True,
    )


def parabola(data: Lesson, along: str) -> Figure:
    """The loss as a function of `along` ("w" or "b") while the other parameter stays where it is at each step."""
    m, first, last = data.moments, data.trace[0], data.trace[-1]
    other = "b" if along == "w" else "w"
    travelled = [getattr(row, along) for row in data.trace]
    bottoms = [bottom(data, along, row) for row in (first, last)]
    low, high = padded([*travelled, *bottoms], 0.12)
    middle, half = bottoms[0], max(abs(travelled[0] - bottoms[0]) * 1.12, (high - low) / 2)
    low, high = min(low, middle - half), max(high, middle + half)
    top = max(first.loss * 1.12, 1e-9)
    curve = slice_of(data, along, getattr(first, other), low, high)
    least = bottoms[0]
    at_least = lesson.loss(m, *((least, first.b) if along == "w" else (first.w, least)))
    walked = [(getattr(row, along), row.loss) for row in data.trace]
    return Figure(
        f"parabola-{along}",
        f"The parabola along {along}",
        f"The loss against {along}, a parabola. The first guess {along} = {travelled[0]:g} sits at a loss of "
        f"{first.loss:.4g}; the bottom at that {other} is at {along} = {least:.4g}.",
        f"The loss as {along} alone changes. The slope of the dashed tangent is the gradient; the step goes "
        f"against it. Because {other} moves too, the parabola itself shifts from step to step.",
        Axis(f"{along}" + (" (slope of the line)" if along == "w" else " (height of the line at x = 0)"), low, high),
        Axis("loss, mean squared error", -top * 0.06, top),
        [
            Dots(walked[1:], "faint", "steps of the training", 2.2),
            Line(curve, "model", f"loss at the {other} of this step", 2.6, move=f"parabola-{along}"),
            Line(tangent(data, along), "error", "gradient", 2, dash=True, move=f"tangent-{along}"),
            Dots([(least, at_least)], "target", "bottom", 5, "diamond", move=f"bottom-{along}"),
            Dots(walked[:1], "error", "now", 6, move=f"loss-dot-{along}"),
        ],
        moves=True,
        live=step_words(data, along),
    )


def bottom(data: Lesson, along: str, row: object) -> float:
    """Where the parabola along `along` has its minimum at this row's other parameter: the derivative is 0."""
    if along == "w":
        return lesson.best_w(data.moments, getattr(row, "b"))  # noqa: B009
    return lesson.best_b(data.moments, getattr(row, "w"))  # noqa: B009


def slice_of(data: Lesson, along: str, other: float, low: float, high: float) -> list[Point]:
    """The parabola's points from low to high, exact."""
    values = [low + (high - low) * k / (CURVE_POINTS - 1) for k in range(CURVE_POINTS)]
    pairs = [(value, other) if along == "w" else (other, value) for value in values]
    return [(value, lesson.loss(data.moments, *pair)) for value, pair in zip(values, pairs, strict=True)]


def tangent(data: Lesson, along: str) -> list[Point]:
    """The tangent at the first guess, from the guess to where it would meet the axis, at most to the bottom."""
    first = data.trace[0]
    at, slope = getattr(first, along), getattr(first, f"grad_{along}")
    reach = bottom(data, along, first) - at
    return [(at, first.loss), (at + reach * 0.5, first.loss + slope * reach * 0.5)]


def step_words(data: Lesson, along: str) -> str:
    """The update of the first step in numbers; the page's script says the same of every other step."""
    first = data.trace[0]
    value, slope = getattr(first, along), getattr(first, f"grad_{along}")
    words = f"slope {slope:.3f}"
    if data.learning_rate is not None:
        next_value = value - data.learning_rate * slope
        words += f", so the next {along} is {value:.3f} − {data.learning_rate:g} × ({slope:.3f}) = {next_value:.3f}"
    return words.replace("-", "−")


def path(data: Lesson) -> Figure:
    """The way of (w, b) over the loss, from the first guess to the last step."""
    ws, bs = [row.w for row in data.trace], [row.b for row in data.trace]
    best = lesson.best_fit(data.moments)
    goals = [best] if best else []
    w_low, w_high = padded(ws + [w for w, _ in goals], 0.15)
    b_low, b_high = padded(bs + [b for _, b in goals], 0.15)
    floor = math.sqrt(lesson.loss(data.moments, *best)) if best else 0.0
    marks: list[Mark] = []
    levels = [floor + (data.trace[0].rmse - floor) * share for share in (0.05, 0.15, 0.3, 0.5, 0.75, 1.0)]
    for number, level in enumerate(levels):
        ellipse = lesson.contour(data.moments, level)
        if ellipse:
            marks.append(Line(ellipse, "faint", "equal loss" if number == 0 else "", 1.0))
    marks += [
        Line(list(zip(ws, bs, strict=True)), "model", "path of the training", 1.4, dash=True),
        Line([(ws[0], bs[0])], "model", "so far", 2.8, move="path-trail"),
    ]
    if goals:
        marks.append(Dots(goals, "target", "best fit to these data", 6, "diamond"))
    marks.append(Dots([(ws[0], bs[0])], "error", "now", 6, move="path-dot"))
    return Figure(
        "path",
        "The way down, seen from above",
        f"Path of the training in the plane of w and b over ellipses of equal loss, from w = {ws[0]:g}, b = {bs[0]:g} "
        f"to w = {ws[-1]:.4f}, b = {bs[-1]:.4f}.",
        "Each ellipse joins all pairs of w and b that are equally bad. The valley is narrow along w and long along b, "
        "so w is nearly right long before b."
        if lesson.curvatures(data.moments)[1] > 4 * lesson.curvatures(data.moments)[0]
        else "Each ellipse joins all pairs of w and b that are equally bad; the path always heads downhill.",
        Axis("w", w_low, w_high),
        Axis("b", b_low, b_high),
        marks,
        moves=True,
    )


def compared_rates(data: Lesson) -> list[tuple[str, str, lesson.Run]]:
    """(role, name, run) of the short descents: too small, this training's, the best fixed one, too large.

    All are computed here, from the same first guess, with the same data.
    """
    m, first = data.moments, data.trace[0]
    limit = lesson.stable_limit(m)
    chosen = [("warm", "too small", limit / 100), ("target", "about right", lesson.fastest_rate(m))]
    if data.learning_rate is not None:
        chosen.insert(1, ("model", "this training", data.learning_rate))
    chosen.append(("error", "too large", limit * 1.1))
    return [
        (role, name, lesson.descend(m, first.w, first.b, float(f"{rate:.3g}"), DESCENT_STEPS))
        for role, name, rate in chosen
    ]


def rates(data: Lesson) -> Figure:
    """The same descent with other learning rates: too small, this training's, about right, and too large."""
    runs = compared_rates(data)
    limit = lesson.stable_limit(data.moments)
    top = min(max(max(run.rmse) for _, _, run in runs) * 2, data.trace[0].rmse * DIVERGED_HEIGHT)
    low = max(min(min(run.rmse) for _, _, run in runs), data.trace[0].rmse * 1e-5, 1e-9)
    marks: list[Mark] = []
    shapes = {"warm": "square", "model": "circle", "target": "diamond", "error": "cross"}
    for role, name, run in runs:
        points = [(float(k), max(value, 1e-12)) for k, value in enumerate(run.rmse)]
        label = f"{name}: {run.learning_rate:g}"
        marks.append(Line(points, role, "", 2.2, dash=role == "error"))
        marks.append(Dots(points[:1], role, label, 5.5, shapes[role], move=f"rate-{role}"))
    return Figure(
        "rates",
        "How long a step should be",
        f"RMSE against step for {len(runs)} learning rates from the same guess: the smallest creeps, the largest, "
        f"above the stable limit {limit:.4g}, diverges.",
        f"{DESCENT_STEPS} steps from the same guess, each really computed. For these data the limit is "
        f"2 / λmax = {limit:.4f}: below it every step improves things, above it each overshoots the valley and lands "
        "higher on the other side.",
        Axis("training step", 0, DESCENT_STEPS),
        Axis("RMSE (units of y)", 10 ** math.floor(math.log10(low)), top, log=True),
        marks,
        moves=True,
    )
