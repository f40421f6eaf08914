# SPDX-License-Identifier: Apache-2.0
"""The functions of `import tinyproof`, over the stages and their artefacts in build/<model>/.

`model` is a file (.tflite, .keras, .h5, a SavedModel folder), which becomes build/<its name>/ unless it is there, or
the name of such a build. `board` is a name, or a `BoardAt` where a port belongs to it; without one it is that of
tinyproof.toml, from which all other settings come, too. Errors are those of core/errors.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tinyproof.builds import Wanted, find_brought, hold, import_file, run_build, run_export, select_model, silent
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.escaping import escaped
from tinyproof.results import (
    BoardAt,
    BoardFit,
    Exported,
    FirstDifference,
    Inspection,
    OperatorCost,
    OperatorShape,
    Profile,
    Proof,
    Simulation,
)

if TYPE_CHECKING:
    from tinyproof.firmware.platformio_build import BuildResult
    from tinyproof.host.bits import BitsResult, Progress
    from tinyproof.host.check_report import CheckReport, DatasetReport
    from tinyproof.host.many.asking import ManyResult

Model = str | Path
Result = TypeVar("Result", OperatorShape, BoardFit, Inspection, OperatorCost, Profile)


def export(
    model: Model,
    *,
    calibration: str | Path | None = None,
    low: float | None = None,
    high: float | None = None,
    activations: str | None = None,
    values: tuple[float, float] | None = None,
    name: str | None = None,
    keep_dead: bool = False,
    ram: int | Literal["small", "min"] | None = None,
) -> Exported:
    """The model as C, with the golden answers, in build/<name>/.

    `calibration`: samples to quantize a float model with (.npz, .npy, .csv, a folder of images or .wav files, whose
    darkest and brightest are `values` in real numbers), or `low` and `high` where it takes one number; `activations`:
    "int8" or "int16" between its layers. `name`: of the build, where it is not the file's. `keep_dead`: compute
    channels on which no answer depends, too. `ram`: bytes that the arena may take, "small" for the least at 5 % more
    instructions, "min" for the least.
    A name exports what was trained as build/<name>. TensorFlow is loaded only for a float model.
    """
    config = load_config(paths.CONFIG_FILE)
    budget = "" if ram is None else str(ram)
    wanted = Wanted(None if calibration is None else Path(calibration), low, high, activations, name, values)
    found = find_brought(str(model), wanted)
    if found is not None:
        manifest = import_file(config, found, wanted, keep_dead=keep_dead, ram=budget)[1]
    else:
        settings = dataclasses.replace(
            config.export,
            low=config.export.low if low is None else low,
            high=config.export.high if high is None else high,
        )
        config = dataclasses.replace(config, model=str(model), export=settings)
        with hold(config.model, makes=True):
            manifest = run_export(config, keep_dead=keep_dead, ram=budget)
    memory = manifest.memory
    assert memory is not None  # it has just been exported
    folder = paths.build_dir(manifest.model)
    return Exported(manifest.model, manifest.model_id, folder, memory.macs, memory.arena_bytes)


def inspect(model: Model, *, board: str | None = None) -> Inspection:
    """What the model is made of and on which boards it fits, or only `board`. A .tflite is only read.

    Raises InputFileError for a model that is refused, naming the layer and what to use instead.
    """
    from tinyproof.inspection import boards_to_judge, run_inspect

    config = load_config(paths.CONFIG_FILE)
    boards = boards_to_judge() if board is None else [find_board(board)]
    document = run_inspect(config, str(model), boards, Wanted())
    if "refused" in document:
        raise InputFileError(document["refused"])
    operators = tuple(
        _of(OperatorShape, op, **{role: tuple(map(tuple, op[role])) for role in ("inputs", "outputs")})
        for op in document["operators"]
    )
    fits = tuple(_of(BoardFit, fit) for fit in document["boards"])
    return _of(Inspection, document, operators=operators, boards=fits)


def build(model: Model, board: str | None = None, *, lint: bool = True) -> BuildResult:
    """The firmware around the model. `lint`: refuse what the board's interpreter library is known to compute wrongly.

    Raises EnvironmentFaultError where the compiler is missing, the build fails or the image does not fit the board.
    """
    config = _config(model, BoardAt(board) if board else None)
    with hold(config.model):
        return run_build(config, lint=lint)


def check(
    model: Model,
    board: str | BoardAt | None = None,
    *,
    dataset: str | Path | None = None,
    classes: Sequence[str] | None = None,
    values: tuple[float, float] | None = None,
    limit: int | None = None,
    timeout_s: float | None = None,
    retries: int | None = None,
    vectors: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Proof:
    """Asks the board every vector of the build and every known answer, or the first `limit` samples of `dataset`.

    A simulated board without a port is built first, so that what is proven is what is there now; a real one runs what
    was flashed. A mismatch is in the proof. `classes`: names of the model's outputs, where samples are labelled by
    name; `values`: as in `export`. `vectors`: so many inputs more, which the board makes itself of `seed`. `progress`
    is called with the inputs done and all of them.

    Raises BoardError where the board is absent, silent or runs another model, InputFileError, UsageError and
    EnvironmentFaultError as the stages do.
    """
    from tinyproof.checking import check_and_locate, check_samples
    from tinyproof.core.data_set import DataForm

    at = _at(board)
    config = _config(model, at)
    asked = dataclasses.replace(
        config.check,
        timeout_s=config.check.timeout_s if timeout_s is None else timeout_s,
        retries=config.check.retries if retries is None else retries,
        vectors=config.check.vectors if vectors is None else vectors,
        seed=config.check.seed if seed is None else seed,
    )
    chosen, folder, port = find_board(config.board), paths.build_dir(config.model), at.port if at else None
    if dataset is None and limit is not None:
        raise UsageError("limit counts samples of a data set; name it with dataset")
    with hold(config.model):
        if chosen.kind == "simulated" and port is None:
            run_build(config)
        if dataset is None:
            return proof_of(check_and_locate(chosen, folder, port, asked, progress, lambda: None))
        form = DataForm(tuple(classes or ()), values)
        report = check_samples(
            *(chosen, folder, port, asked, Path(dataset), limit, progress, lambda: None), remark=silent, form=form
        )
        return proof_of(report)


def assert_proven(
    model: Model,
    board: str | BoardAt | None = None,
    *,
    dataset: str | Path | None = None,
    limit: int | None = None,
) -> Proof:
    """`check`, for tests: raises AssertionError where bits or answers differ, which names the first wrong operator."""
    __tracebackhide__ = True  # pytest shows the test's own line
    proof = check(model, board, dataset=dataset, limit=limit)
    if not proof.proven:
        raise AssertionError(_story(proof))
    return proof


def _story(proof: Proof) -> str:
    first = proof.first_difference
    lines = [f"{escaped(proof.model)} is not proven on {proof.board}"]
    if first is not None:
        where = first.operator or "an operator that is not known"
        name = f", tensor {escaped(first.tensor)!r}" if first.tensor else ""
        lines.append(f"first wrong operator: {where}{name}{f' ({first.why_unknown})' if first.why_unknown else ''}")
    return "\n".join([*lines, escaped(proof.fault)])


@contextlib.contextmanager
def simulate(model: Model, board: str | None = None) -> Iterator[Simulation]:
    """A simulated board that runs the model, or the board `reference`, until the block ends."""
    from tinyproof.core.manifest import read_manifest
    from tinyproof.host.targets.board_port import board_port

    config = _config(model, BoardAt(board) if board else None)
    chosen, folder = find_board(config.board), paths.build_dir(config.model)
    if chosen.kind == "serial":
        raise UsageError(f"board {chosen.name} is real hardware; there is nothing to simulate")
    if chosen.kind == "simulated":
        with hold(config.model):
            run_build(config)
    with board_port(chosen, folder, None) as port:
        yield Simulation(chosen.name, read_manifest(folder).model_id, port)


def profile(
    model: Model, board: str | BoardAt | None = None, *, dataset: str | Path | None = None, noise: bool = False
) -> Profile:
    """What each operator takes. A real board is flashed with a firmware of its own for that. `noise`: compare each
    layer with the float model, too, on `dataset` or the build's vectors; that loads TensorFlow.

    Raises MismatchError where an operator answers other bits than TFLite Micro's: then its time means nothing.
    """
    from tinyproof.profiling import run_profile

    at = _at(board)
    config = _config(model, at)
    with hold(config.model):
        document = run_profile(config, at.port if at else None, None if dataset is None else Path(dataset), noise=noise)
    return _of(Profile, document, operators=tuple(_of(OperatorCost, op) for op in document["operators"]))


def _of(kind: type[Result], document: dict[str, Any], **others: Any) -> Result:
    """A result with the fields that `document` holds of it, but for the `others`."""
    names = [field.name for field in dataclasses.fields(kind) if field.name not in others]
    return kind(**{name: document[name] for name in names}, **others)


def proof_of(report: CheckReport | DatasetReport) -> Proof:
    """What a check of vectors or of samples came to."""
    bits, many, (more, saturation) = report.bits, getattr(report, "many", None), _answers(report)
    return Proof(
        *(report.model, report.model_id, report.board, report.engine, report.reference),
        vectors=bits.checked,
        bits_different=bits.different,
        proven=report.proven,
        fault=report.mismatch() or saturation,
        first_difference=_first_difference(bits) or _first_difference(many),
        ticks=bits.ticks_max,
        tick_unit=bits.tick_unit,
        vectors_made=many.checked if many else 0,
        **more,
    )


def _answers(report: CheckReport | DatasetReport) -> tuple[dict[str, Any], str]:
    """What only one of the two kinds says, and why its samples are in doubt, where they are."""
    from tinyproof.host.check_report import CheckReport

    if isinstance(report, CheckReport):
        return {"answers_within_tolerance": report.answers_within_tolerance, "doubtful": False}, ""
    accuracy = report.accuracy or {}
    found = {
        "answers_within_tolerance": None,
        "doubtful": report.doubtful,
        "accuracy": accuracy.get("share"),
        "rmse": accuracy.get("rmse"),
    }
    return found, report.saturation if report.doubtful else ""


def _first_difference(bits: BitsResult | ManyResult | None) -> FirstDifference | None:
    if bits is None or not bits.divergences:
        return None
    first = bits.divergences[0]
    return FirstDifference(
        *(first.index, first.frame, tuple(first.x_q), first.element, first.expected_q, first.board_q),
        *(first.layer, first.tensor, bits.layer_note),
    )


def _at(board: str | BoardAt | None) -> BoardAt | None:
    return BoardAt(board) if isinstance(board, str) else board


def _config(model: Model, board: BoardAt | None) -> Config:
    """The settings for `model`, which is imported where it is a file, on `board`."""
    config = load_config(paths.CONFIG_FILE)
    if board is not None:
        config = dataclasses.replace(config, board=board.name)
    find_board(config.board)  # a wrong name is told before the work, not after it
    return select_model(config, str(model))
