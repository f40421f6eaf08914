# SPDX-License-Identifier: Apache-2.0
"""What the report is made of: the artefacts of one build, read from its folder. All of them are files we wrote."""

from __future__ import annotations

import csv
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.build_record import BuildRecord, read_build_record
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest, read_manifest, stale_artefacts
from tinyproof.core.origin import NeuronTraining
from tinyproof.report.lesson import Moments, moments

TRACE_FILE = "trace.csv"
VECTORS_FILE = "vectors.json"
CURVE_FILE = "float.csv"
FAULTS_FILE, PROOF_FILE = "faults.json", "prove.json"
MAX_ROWS = 600  # of the trace that the figures show; a longer training is thinned, its first and last rows kept
MAX_POINTS = 200  # of the data that the figures show; the loss is always that of all data


@dataclass(frozen=True)
class TraceRow:
    """State before update number `step`; the last row of a trace is the final state."""

    step: int
    w: float
    b: float
    loss: float
    rmse: float
    grad_w: float
    grad_b: float


@dataclass(frozen=True)
class Lesson:
    """A training of one neuron. `x`, `y` and `trace` are what is shown, `moments` come from all the data."""

    x: list[float]
    y: list[float]
    source: str
    points: int
    moments: Moments
    trace: list[TraceRow]
    steps: int
    learning_rate: float | None
    rule: tuple[float, float] | None


@dataclass(frozen=True)
class BoardResult:
    """What is known of one board: its build.json, check.json, profile.json and dataset.json; None or {} where nobody
    has made it."""

    name: str
    build: BuildRecord | None
    check: dict[str, Any]
    profile: dict[str, Any]
    dataset: dict[str, Any] = field(default_factory=dict)

    def of_model(self, model_id: str) -> BoardResult:
        """What of this concerns the model; "" is the id of none."""

        def kept(document: dict[str, Any]) -> dict[str, Any]:
            return document if model_id and document.get("model_id") == model_id else {}

        build = self.build if model_id and self.build is not None and self.build.model_id == model_id else None
        return BoardResult(self.name, build, kept(self.check), kept(self.profile), kept(self.dataset))


@dataclass(frozen=True)
class FloatPoint:
    """What the float model answers to the real value of an input; `x_q` may lie a little beyond int8."""

    x_q: int
    x: float
    y: float


@dataclass(frozen=True)
class ReportData:
    """`curve`: the float model, for a model of one number in and one out whose float model is known; else empty.
    `faults`, `proof`: faults.json and prove.json, {} where there are none of this model."""

    manifest: Manifest
    lesson: Lesson | None
    vectors: dict[str, Any]
    boards: list[BoardResult]
    curve: list[FloatPoint] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)  # boards with results of another model or version than this one
    stale: list[str] = field(default_factory=list)  # artefacts that are not what the manifest recorded
    faults: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)

    @property
    def activations(self) -> str:
        """What the model keeps between its layers: as its import says, or as its answer has it."""
        manifest = self.manifest
        if manifest.source is not None and manifest.source.activations:
            return manifest.source.activations
        return "int16" if manifest.outputs and manifest.outputs[0].dtype == "int16" else "int8"


def read_report_data(build_dir: Path) -> ReportData:
    """Raises UsageError where the build does not exist or a file of it is damaged; later stages may be missing."""
    manifest = read_manifest(build_dir)
    boards, outdated = [], []
    for folder in sorted(path for path in (build_dir / "boards").glob("*") if path.is_dir()):
        made, readable = _read_board(folder)
        current = made.of_model(manifest.model_id)
        if current.build or current.check or current.profile or current.dataset:
            boards.append(current)
        if made != current or not readable:
            outdated.append(folder.name)
    return ReportData(
        manifest,
        read_lesson(build_dir, manifest),
        _read_json(build_dir / VECTORS_FILE) if manifest.model_id else {},
        boards,
        read_curve(build_dir / CURVE_FILE) if CURVE_FILE in manifest.artefacts else [],
        outdated,
        stale_artefacts(manifest, build_dir),
        *(_of_model(_read_json(build_dir / file), manifest) for file in (FAULTS_FILE, PROOF_FILE)),
    )


def _of_model(document: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """The document, {} where it is about an earlier export."""
    return document if manifest.model_id and document.get("model_id") == manifest.model_id else {}


def _read_board(folder: Path) -> tuple[BoardResult, bool]:
    """And whether its build.json can be read: a board that was built by another version, or whose file is damaged, is
    built again when it is asked, and is no reason to withhold the others."""
    check, profile, dataset = (_read_json(folder / f"{name}.json") for name in ("check", "profile", "dataset"))
    try:
        return BoardResult(folder.name, read_build_record(folder), check, profile, dataset), True
    except UsageError:
        return BoardResult(folder.name, None, check, profile, dataset), False


def read_lesson(build_dir: Path, manifest: Manifest) -> Lesson | None:
    """The training of the one neuron, or None for a model that was not trained that way."""
    training = manifest.training
    if not isinstance(training, NeuronTraining) or not (build_dir / TRACE_FILE).is_file():
        return None
    rows = read_trace(build_dir / TRACE_FILE)
    x, y, rule = training.data.x, training.data.y, training.rule
    every = max(1, -(-len(x) // MAX_POINTS))
    return Lesson(
        x=x[::every],
        y=y[::every],
        source=training.data.source,
        points=len(x),
        moments=moments(x, y),
        trace=thin(rows, MAX_ROWS),
        steps=rows[-1].step,
        learning_rate=training.learning_rate,
        rule=(rule.w, rule.b) if rule else None,
    )


def read_trace(path: Path) -> list[TraceRow]:
    """Raises UsageError when the trace is damaged or empty."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                TraceRow(
                    int(line["step"]), *(float(line[name]) for name in ("w", "b", "loss", "rmse", "grad_w", "grad_b"))
                )
                for line in csv.DictReader(file)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path.name} is damaged ({error}); run ./tinyproof train again") from error
    if not rows:
        raise UsageError(f"{path.name} has no steps; run ./tinyproof train again")
    return rows


def read_curve(path: Path) -> list[FloatPoint]:
    """Raises UsageError when the file is missing or damaged."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [FloatPoint(int(line["x_q"]), float(line["x"]), float(line["y"])) for line in csv.DictReader(file)]
    except FileNotFoundError:
        raise UsageError(f"{path.name} is missing; run ./tinyproof export again") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path.name} is damaged ({error}); run ./tinyproof export again") from error


def thin(rows: list[TraceRow], limit: int) -> list[TraceRow]:
    """At most `limit` rows: the first tenth of them one by one, where most happens, then evenly to the very last."""
    if len(rows) <= limit:
        return rows
    head = limit // 10
    count = limit - head
    last = len(rows) - 1
    picked = {head + round((last - head) * k / (count - 1)) for k in range(count)}
    return rows[:head] + [rows[index] for index in sorted(picked)]


def transfer(vectors: dict[str, Any]) -> list[tuple[int, int]] | None:
    """(input, output) of each of the 256 inputs of a model with one int8 input and one int8 output, else None."""
    pairs = vectors.get("vectors", [])
    if vectors.get("kind") != "exhaustive" or not pairs or len(pairs[0]["out"]) != 2:
        return None
    return [(_int8(pair["in"]), _int8(pair["out"])) for pair in pairs]


def _int8(text: str) -> int:
    value: int = struct.unpack("b", bytes.fromhex(text))[0]
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UsageError(f"{path.parent.name}/{path.name} is damaged ({error}); make it again") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path.parent.name}/{path.name} is damaged; make it again")
    return document
