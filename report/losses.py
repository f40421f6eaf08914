# SPDX-License-Identifier: Apache-2.0
"""Where a brought model loses to rounding: noise layer by layer, and what it does to the answers that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyproof.report.build_data import ReportData
from tinyproof.report.chart import Axis, Bars, Dots, Figure, Line, padded
from tinyproof.report.network import Network

WORST = 10  # samples that are drawn
BINS = 21  # of the histogram
FEWEST = 8  # differences that a histogram is made of


@dataclass(frozen=True)
class KnownAnswer:
    """A sample whose answer is known, and the board's, in real values. `error`: the largest over the outputs."""

    x: list[float]
    expected: list[float]
    y: list[float]
    error: float
    source: str


def known_answers(data: ReportData) -> list[KnownAnswer]:
    """Those of the first board that was asked: boards whose bits are the reference's answer alike."""
    asked: list[dict[str, Any]] = next(
        (board.check["answers"] for board in data.boards if board.check.get("answers")), []
    )
    return [
        KnownAnswer(entry["x"], entry["expected"], entry["y"], entry["error"], entry["source"])
        for entry in asked
        if entry["error"] is not None and None not in entry["y"] and len(entry["y"]) == len(entry["expected"])
    ]


def worst_answers(data: ReportData) -> list[KnownAnswer]:
    """The samples with the largest error, at most WORST, the worst first."""
    return sorted(known_answers(data), key=lambda answer: -answer.error)[:WORST]


def loss_figures(data: ReportData, network: Network | None) -> list[Figure]:
    """SQNR behind each operator and what each adds, where a profile measured that; and differences of the answers."""
    figures = noise_figures(network) if network else []
    spread = difference_figure(data)
    return [*figures, spread] if spread else figures


def noise_figures(network: Network) -> list[Figure]:
    """Two, where at least two operators' noise is known."""
    known = [(float(row.index), row.sqnr_db) for row in network.rows if row.sqnr_db is not None]
    added = [(float(row.index), 100 * row.noise_added) for row in network.rows if row.noise_added is not None]
    worst = network.noisiest
    if len(known) < 2 or not added or worst is None:
        return []
    low, high = known[0][0], known[-1][0]
    places = Axis("operator", low - 0.6, high + 0.6, ticks=_places(low, high))
    lowest, last = min(known, key=lambda point: point[1]), known[-1]
    return [
        Figure(
            "sqnr",
            "Signal over noise, operator by operator",
            f"SQNR behind each operator: lowest behind operator {lowest[0]:.0f} with {lowest[1]:.1f} dB, "
            f"{last[1]:.1f} dB behind the last.",
            "How far the signal stands above what rounding added so far. 6 dB more are one more bit to rely on.",
            places,
            Axis("SQNR (dB)", *padded([value for _, value in known])),
            [Line(known, "model", "", 1.6), Dots(known, "model", "behind each operator", 4)],
        ),
        Figure(
            "noise-added",
            "Which operator adds the noise",
            f"Noise that each operator adds, in % of its signal; most in operator {worst.index}, {worst.name}.",
            f"Operator {worst.index}, {worst.name}, adds most: {100 * (worst.noise_added or 0):.3g} % of the signal. "
            "That is the one to look at first.",
            places,
            Axis("noise added (% of the signal)", min(0.0, *(value for _, value in added)), _top(added)),
            [Bars(added, 0.7, "error", "by each operator")],
        ),
    ]


def difference_figure(data: ReportData) -> Figure | None:
    """How often int8 leaves the known answers by how much, over all outputs; None where too few are known."""
    answers = known_answers(data)
    gaps = [y - right for answer in answers for y, right in zip(answer.y, answer.expected, strict=True)]
    if len(gaps) < FEWEST or len(data.manifest.outputs) != 1:
        return None
    step = data.manifest.outputs[0].scale
    reach = max(max(map(abs, gaps)) / step, 1.0)
    width = 2 * reach / BINS
    counts = [0] * BINS
    for gap in gaps:
        counts[min(BINS - 1, int((gap / step + reach) / width))] += 1
    points = [(-reach + (number + 0.5) * width, float(count)) for number, count in enumerate(counts)]
    inside = sum(abs(gap) <= step for gap in gaps)
    return Figure(
        "differences",
        f"{data.activations} minus what is known",
        f"{len(gaps):,} outputs of {len(answers):,} samples: {inside:,} within one step of the known answer.",
        f"{inside:,} of {len(gaps):,} outputs, of {len(answers):,} samples ({answers[0].source}), are within one step, "
        f"{step:.3g}; the farthest is {reach:.3g} steps off.",
        Axis("difference (steps of the answer)", -reach * 1.04, reach * 1.04),
        Axis("outputs", 0.0, _top(points)),
        [Bars(points, width * 0.9, "error", "outputs")],
    )


def _places(low: float, high: float) -> tuple[float, ...]:
    every = max(1, -(-int(high - low + 1) // 10))
    return tuple(float(place) for place in range(int(low), int(high) + 1, every))


def _top(points: list[tuple[float, float]]) -> float:
    return 1.08 * max(value for _, value in points) or 1.0
