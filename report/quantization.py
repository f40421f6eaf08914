# SPDX-License-Identifier: Apache-2.0
"""What int8 does to the answers of a model of one number: transfer curve, error in quantization steps, saturation."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.manifest import TensorSpec
from tinyproof.report.build_data import ReportData, transfer
from tinyproof.report.chart import Axis, Band, Dots, Figure, Line, Mark, padded

CLOSE_UP = 13  # inputs in the close-up


@dataclass(frozen=True)
class Sample:
    """One of the 256 inputs: x = scale * (x_q - zero_point), and what int8 and float make of it."""

    x_q: int
    x: float
    y_q: int
    y: float
    y_float: float | None
    error_steps: float | None
    saturated: bool


def samples(data: ReportData) -> list[Sample] | None:
    """The 256 points of a model of one input and one output, or None: no curve can be drawn of anything else."""
    pairs = transfer(data.vectors)
    if pairs is None or len(data.manifest.inputs) != 1 or len(data.manifest.outputs) != 1:
        return None
    source, sink = data.manifest.inputs[0], data.manifest.outputs[0]
    floats = {point.x_q: point.y for point in data.curve}
    points = []
    for x_q, y_q in pairs:
        x, y = real(source, x_q), real(sink, y_q)
        y_float = floats.get(x_q)
        error = None if y_float is None else (y - y_float) / sink.scale
        clamped = y_q in (-128, 127) and (error is None or abs(error) > 0.75)
        points.append(Sample(x_q, x, y_q, y, y_float, error, clamped))
    return points


def real(tensor: TensorSpec, q: int) -> float:
    """scale * (q - zero_point)."""
    return tensor.scale * (q - tensor.zero_point)


def saturated_ranges(points: list[Sample]) -> list[tuple[float, float]]:
    """Stretches of x in which the output sits at the end of its range although the model goes on."""
    ranges: list[tuple[float, float]] = []
    half = (points[1].x - points[0].x) / 2
    previous = None
    for point in points:
        if point.saturated:
            low = ranges.pop()[0] if previous is not None and previous.saturated else point.x - half
            ranges.append((low, point.x + half))
        previous = point
    return ranges


def quantization_figures(data: ReportData) -> list[Figure]:
    """What int8 does to the model: the curve, a piece of it from near, and the error; none without samples."""
    points = samples(data)
    if not points:
        return []
    figures = [_transfer_figure(data, points), _close_figure(data, points)]
    if points[0].error_steps is not None:
        figures.append(_error_figure(points))
    return figures


def _transfer_figure(data: ReportData, points: list[Sample]) -> Figure:
    low, high = points[0].x, points[-1].x
    x_axis = Axis("x", *padded([low, high], 0.1))
    known_float = points[0].y_float is not None
    meaning = "answer saturates" if known_float else "answer at the end of its range"
    marks: list[Mark] = [
        Band(x_axis.low, low, "x outside the int8 range: clamped to its end"),
        Band(high, x_axis.high),
        *[
            Band(start, end, meaning if number == 0 else "", "error")
            for number, (start, end) in enumerate(saturated_ranges(points))
        ],
    ]
    heights = [point.y for point in points]
    if known_float:
        line = [(point.x, point.y) for point in data.curve if x_axis.low <= point.x <= x_axis.high]
        heights += [y for _, y in line]
        marks.append(Line(line, "target", "float model", 2.2))
    marks.append(Dots([(point.x, point.y) for point in points], "model", "int8 model, all 256 inputs", 1.9))
    known = [(item.x[0], item.y[0]) for item in data.manifest.expected if len(item.x) == len(item.y) == 1]
    if known:
        marks.append(Dots(known, "data", "known answers", 5, "square", hollow=True))
        heights += [y for _, y in known]
    return Figure(
        "transfer",
        f"{'Float and int8' if known_float else 'int8'}, over the whole range",
        f"Answer y against x for all 256 int8 inputs from {low:.4g} to {high:.4g}.",
        "Every input that the board can be given is one of these 256 dots; between two dots lies one quantization "
        "step. Outside the range, x is clamped to its end and the answer stays there.",
        x_axis,
        Axis("y", *padded(heights)),
        marks,
    )


def _close_figure(data: ReportData, points: list[Sample]) -> Figure:
    """The middle of the curve, so close that the steps are seen: every real x is rounded to one of the inputs."""
    middle = [point for point in points if not point.saturated] or points
    start = max(0, len(middle) // 2 - CLOSE_UP // 2)
    shown = middle[start : start + CLOSE_UP]
    half = data.manifest.inputs[0].scale / 2
    stairs = [(point.x + side, point.y) for point in shown for side in (-half, half)]
    low, high = shown[0].x - half, shown[-1].x + half
    marks: list[Mark] = []
    heights = [point.y for point in shown]
    line = [(point.x, point.y_float) for point in shown if point.y_float is not None]
    if line:
        heights += [y for _, y in line]
        marks.append(Line(line, "target", "float model", 2.2))
    marks.append(Line(stairs, "model", "what int8 answers to any x", 1.6))
    marks.append(Dots([(point.x, point.y) for point in shown], "model", f"{len(shown)} of the 256 inputs", 4))
    return Figure(
        "close-up",
        "Seen close up, a staircase",
        f"The {len(shown)} middle inputs: the answer is constant over each input step of {2 * half:.4g}.",
        "A real x between two inputs is rounded to the nearer one, so the answer goes in steps. Their width is the "
        "input's scale, their height a multiple of the answer's scale.",
        Axis("x", low, high),
        Axis("y", *padded(heights)),
        marks,
    )


def _error_figure(points: list[Sample]) -> Figure:
    errors = [(point.x, point.error_steps) for point in points if point.error_steps is not None]
    low, high = padded([error for _, error in errors] + [-0.75, 0.75])
    worst = max(abs(error) for _, error in errors)
    x_axis = Axis("x", *padded([errors[0][0], errors[-1][0]], 0.04))
    ends = (x_axis.low, x_axis.high)
    return Figure(
        "quantization-error",
        "What rounding costs",
        f"Difference between int8 and float answers in output steps, at most {worst:.3f}.",
        "One step is the smallest change that the int8 answer can make. Rounding the answer alone costs up to half a "
        "step (dashed); what goes beyond comes from rounding the weights, the bias and what lies between layers.",
        x_axis,
        Axis("int8 − float (steps of the answer)", low, high),
        [
            Line([(x, 0.5) for x in ends], "faint", "± half a step", 1.6, dash=True),
            Line([(x, -0.5) for x in ends], "faint", "", 1.6, dash=True),
            Dots(errors, "error", "each of the 256 inputs", 2.1),
        ],
    )
