# SPDX-License-Identifier: Apache-2.0
"""`tinyproof example wake-word`: trains the detector, proves it on a board, and sets its scores side by side."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinyproof.builds import Wanted, import_file
from tinyproof.cli import console
from tinyproof.cli.ask_board import run_check, run_samples
from tinyproof.cli.model_option import print_import
from tinyproof.cli.prepare import put_on_board
from tinyproof.cli.progress import progress
from tinyproof.cli.show_check import print_check
from tinyproof.cli.show_dataset import print_samples
from tinyproof.cli.stage_timer import Stages, in_words
from tinyproof.cli.tables import LABEL, aligned, stage_line
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import EXIT_MISMATCH, EXIT_PROVEN
from tinyproof.core.model_file import find_model_file
from tinyproof.core.paths import CONFIG_FILE, shown

if TYPE_CHECKING:
    from tinyproof.host.check_report import CheckReport, DatasetReport
    from tinyproof.train.wake_word.example import WakeWord

BOARD_SOUNDS = 12  # of the test sounds: an emulator takes a while over each


def prove_wake_word(folder: Path, board: str | None, *, as_json: bool) -> int:
    """The exit code: 0 where every bit of every frame is the reference's, otherwise 1."""
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)  # a wrong name is told before the work, not after it
    stages = Stages(quiet=as_json)
    made = stages.run("train", lambda: _make(folder), _print_made)
    config = stages.run("import", lambda: _import(config, made.model), lambda done: print_import(done[1]))[0]
    port = put_on_board(stages, config, None)
    report = stages.run("check", lambda: run_check(config, port), print_check)
    samples = stages.run("data set", lambda: run_samples(config, port, made.test, BOARD_SOUNDS), print_samples)
    if as_json:
        console.print_json(_document(made, report, samples, stages))
    else:
        _print_scores(made, samples)
        _print_pace(report)
        click.echo(f"time     {in_words(stages.seconds)}")
        console.print_next(
            f"./tinyproof check --model {config.model} --dataset {shown(made.test.resolve())}",
            f"./tinyproof profile --model {config.model}",
        )
    return EXIT_PROVEN if report.proven and samples.proven else EXIT_MISMATCH


def _make(folder: Path) -> WakeWord:
    from tinyproof.core.tensorflow_settings import require_tensorflow

    require_tensorflow("training")
    from tinyproof.train.wake_word.example import make_wake_word

    with progress() as bar:
        task = bar.add_task("train    ")
        return make_wake_word(
            folder, progress=lambda what, done, total: bar.update(task, note=what, completed=done, total=total)
        )


def _import(config: Config, model: Path) -> Any:
    found = find_model_file(str(model.resolve()))
    assert found is not None  # it has just been written
    return import_file(config, found, Wanted())


def _print_made(made: WakeWord) -> None:
    click.echo(stage_line("train", made.word, f"trained; {shown(made.model.resolve())}"))


def _print_scores(made: WakeWord, samples: DatasetReport) -> None:
    """The same detector three times: in floats, in integers, and on the board, which has heard fewer sounds."""
    accuracy = samples.accuracy or {}
    rows = [("", "sounds", "right", "missed", "false", "false accepts")]
    for name, score in (("float Keras", made.float_score), (f"int8, {samples.reference}", made.integer_score)):
        stream = f"{score.accepts} in {score.stream_s / 60:.0f} min, {score.accepts_per_hour:.0f} per hour"
        rows.append((name, str(score.sounds), f"{score.share:.1%}", str(score.missed), str(score.false), stream))
    share, missed, false = (accuracy.get(key, 0) for key in ("share", "missed", "false"))
    rows.append((samples.board, str(samples.samples), f"{share:.1%}", str(missed), str(false), "-"))
    label = "scores"
    for line in aligned(rows, right=(1, 2, 3, 4)):
        click.echo(f"{label:<{LABEL}}{line}")
        label = ""


def _print_pace(report: CheckReport) -> None:
    """What listening without a pause costs."""
    from tinyproof.train.wake_word.front_end import FRAMES_PER_SECOND

    unit, ticks = report.bits.tick_unit, report.bits.ticks_max
    if unit in ("insn", "cycle"):
        million = ticks * FRAMES_PER_SECOND / 1e6
        click.echo(
            stage_line(
                "pace", f"{FRAMES_PER_SECOND} frames a second", f"of {ticks:,} {unit}: {million:.1f} million a second"
            )
        )


def _document(made: WakeWord, report: CheckReport, samples: DatasetReport, stages: Stages) -> dict[str, Any]:
    return {
        "model": shown(made.model.resolve()),
        "test": shown(made.test.resolve()),
        "word": made.word,
        "float": made.float_score.as_dict(),
        "int8": made.integer_score.as_dict(),
        "check": report.as_dict(),
        "data_set": samples.as_dict(),
        "stages": stages.seconds,
    }
