# SPDX-License-Identifier: Apache-2.0
"""The page: one template, one style sheet and one script, put together into a file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.report import figures, lesson, losses, memory_figure, quantization, size_charts, weights
from tinyproof.report.build_data import Lesson, ReportData
from tinyproof.report.chart import Figure, Stack
from tinyproof.report.labelled import Labelled, labelled
from tinyproof.report.network import SHOWN, Network, draw_network, network_of
from tinyproof.report.rendering import TEMPLATES, environment
from tinyproof.report.sample_pictures import draw_sample
from tinyproof.report.treemap import FlashMap, draw_treemap, flash_map

SHOWN_ERRORS = 12  # rows of the table of first errors
TABLE_ROWS = 16  # of the table of weights


@dataclass(frozen=True)
class Content:
    """Everything the page shows, computed; drawing and words are left to the template. `network`: of a model that was
    brought; the lesson has none."""

    data: ReportData
    lesson_figures: dict[str, Figure]
    quantization_figures: list[Figure]
    samples: list[quantization.Sample] | None
    network: Network | None
    weights: list[weights.WeightRow]
    stacks: list[Stack]
    memory: list[Figure]
    loss_figures: list[Figure]
    worst: list[losses.KnownAnswer]
    labelled: list[Labelled]
    flash: FlashMap | None

    @classmethod
    def of(cls, build_dir: Path, data: ReportData) -> Content:
        """Draws everything there is data for; reads model.tflite for the weights."""
        drawn = figures.lesson_figures(data.lesson) if data.lesson else []
        graph = weights.read_model(build_dir, data)
        brought = data.lesson is None
        network = network_of(graph, data.boards) if graph and brought else None
        return cls(
            data,
            {figure.name: figure for figure in drawn},
            quantization.quantization_figures(data),
            quantization.samples(data),
            network,
            weights.weight_rows(graph, weights.learned_values(build_dir, data, graph)) if graph else [],
            size_charts.size_stacks(data.boards),
            memory_figure.memory_figures(data.manifest),
            losses.loss_figures(data, network) if brought else [],
            losses.worst_answers(data) if brought else [],
            labelled(data.boards),
            flash_map(data, network),
        )

    def figures(self) -> Iterator[Figure | Stack]:
        """Every figure of the page, in the order in which it is written as a file."""
        yield from self.lesson_figures.values()
        yield from self.quantization_figures
        yield from self.stacks
        yield from self.memory
        yield from self.loss_figures


def render(content: Content) -> str:
    """The HTML text. Strings of the model and of boards are escaped by the template engine."""
    from markupsafe import Markup

    data = content.data
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    text: str = (
        environment()
        .get_template("report.html")
        .render(
            manifest=data.manifest,
            activations=data.activations,
            lesson=data.lesson,
            facts=lesson_facts(data.lesson) if data.lesson else None,
            figures=content.lesson_figures,
            quantized=content.quantization_figures,
            transfer=transfer_facts(content),
            network=content.network,
            shown_operators=SHOWN,
            network_drawing=Markup(draw_network(content.network)) if content.network else "",
            weights=content.weights[:TABLE_ROWS],
            more_weights=max(0, len(content.weights) - TABLE_ROWS),
            boards=data.boards,
            verdict=verdict(data),
            coverage=coverage(data),
            faults=data.faults,
            proof=data.proof,
            answer_groups=answer_groups(data),
            stale=data.stale,
            outdated=data.outdated,
            stacks=content.stacks,
            memory=content.memory,
            losses=content.loss_figures,
            worst=worst_samples(content),
            labelled=content.labelled,
            flash=content.flash,
            flash_drawing=Markup(draw_treemap(content.flash)) if content.flash else "",
            speed=size_charts.speed_rows(data.boards),
            profiles=size_charts.operator_tables(data.boards),
            peers=size_charts.peer_table(data),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            state=Markup(state(data.lesson)) if data.lesson else "",
        )
    )
    return text


def state(data: Lesson) -> str:
    """What the script needs, as JSON that cannot end its <script> element."""
    runs = figures.compared_rates(data) if data.moments.xx > 0 else []
    m = data.moments
    document = {
        "rows": [
            [row.step, *(float(f"{value:.7g}") for value in (row.w, row.b, row.loss, row.rmse, row.grad_w, row.grad_b))]
            for row in data.trace
        ],
        "x": data.x,
        "y": data.y,
        "moments": [m.xx, m.x, m.xy, m.y, m.yy],
        "rate": data.learning_rate,
        "steps": data.steps,
        "runs": {role: [float(f"{value:.6g}") for value in run.rmse] for role, _, run in runs},
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def lesson_facts(data: Lesson) -> dict[str, Any]:
    """Numbers that the words around the figures quote."""
    first, last = data.trace[0], data.trace[-1]
    errors = [first.w * x + first.b - y for x, y in zip(data.x, data.y, strict=True)]
    pair = lesson.cancelling_pair(errors)
    solvable = data.moments.xx > 0
    return {
        "first": first,
        "last": last,
        "second": data.trace[1] if len(data.trace) > 1 else None,
        "errors": list(zip(data.x, data.y, errors, strict=True))[:SHOWN_ERRORS],
        "hidden": max(0, data.points - SHOWN_ERRORS),
        "pair": [(data.x[k], errors[k]) for k in pair] if pair else None,
        "mean_error": first.w * data.moments.x + first.b - data.moments.y,
        "best": lesson.best_fit(data.moments),
        "limit": lesson.stable_limit(data.moments) if solvable else None,
        "curvatures": lesson.curvatures(data.moments),
        "runs": figures.compared_rates(data) if solvable else [],
    }


def transfer_facts(content: Content) -> dict[str, Any] | None:
    """The numbers in the text beside the transfer curve, or None where there are no samples."""
    points = content.samples
    if not points:
        return None
    errors = [abs(point.error_steps) for point in points if point.error_steps is not None and not point.saturated]
    return {
        "low": points[0].x,
        "high": points[-1].x,
        "saturated": sum(point.saturated for point in points),
        "ranges": quantization.saturated_ranges(points),
        "worst": max(errors) if errors else None,
    }


def worst_samples(content: Content) -> list[tuple[str, losses.KnownAnswer]]:
    """(drawing as markup, answer) of the samples with the largest error."""
    from markupsafe import Markup

    inputs = content.data.manifest.inputs
    shape = inputs[0].shape if len(inputs) == 1 else []
    return [
        (Markup(draw_sample(answer.x, shape, f"Sample with an error of {answer.error:.3g}")), answer)
        for answer in content.worst
    ]


def verdict(data: ReportData) -> dict[str, Any]:
    """Whether all boards that were asked proved the model, in words."""
    checked = [board for board in data.boards if board.check]
    failed = [board.name for board in checked if not board.check.get("proven")]
    return {
        "checked": len(checked),
        "bits": sum(int(board.check.get("bits_checked", 0)) for board in checked),
        "answers": sum(len(board.check.get("answers", [])) for board in checked),
        "failed": failed,
        "proven": bool(checked) and not failed and not data.stale,
    }


def coverage(data: ReportData) -> dict[str, Any] | None:
    """What the vectors excite, as the export measured it; None in a build whose export did not."""
    found = data.vectors.get("coverage")
    known = isinstance(found, dict) and {"outputs", "outputs_moving", "faults", "faults_seen", "layers"} <= found.keys()
    return found if known else None


def answer_groups(data: ReportData) -> list[tuple[list[str], list[dict[str, Any]]]]:
    """(boards, answers): boards that answer alike share one table."""
    groups: list[tuple[list[str], list[dict[str, Any]]]] = []
    for board in data.boards:
        answers = board.check.get("answers", [])
        same = next((names for names, theirs in groups if theirs == answers), None)
        if same is not None:
            same.append(board.name)
        elif answers:
            groups.append(([board.name], answers))
    return groups
