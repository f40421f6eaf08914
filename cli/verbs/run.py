# SPDX-License-Identifier: Apache-2.0
"""`tinyproof run`: the whole proof, from training to the board's answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tinyproof.builds import Wanted, find_brought
from tinyproof.cli import console
from tinyproof.cli.ask_board import run_check
from tinyproof.cli.fleet_option import FleetWanted, fleet_options, fleet_wanted
from tinyproof.cli.model_option import (
    activations_option,
    calibration_option,
    hold,
    model_option,
    name_option,
    values_option,
)
from tinyproof.cli.prepare import make_model, put_on_board
from tinyproof.cli.run_all import ALL, conclude, conclude_matrix, print_matrix, run_matrix, write_matrix
from tinyproof.cli.show_check import print_answers, print_verdict
from tinyproof.cli.stage_timer import Stages, in_words
from tinyproof.cli.step_summary import add_check, add_matrix
from tinyproof.cli.verbs.report import print_report, run_report
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import EXIT_MISMATCH, EXIT_PROVEN, UsageError
from tinyproof.core.paths import CONFIG_FILE, shown
from tinyproof.matrix import MatrixRow, as_document, exit_code

if TYPE_CHECKING:
    from tinyproof.host.check_report import CheckReport


@click.command()
@click.option("--board", help="Board to prove on, or all simulated ones: all. [default: qemu-cortex-m4]")
@click.option("--port", help="Serial port of a real board: a device file, socket:// or rfc2217:// URL.")
@model_option
@name_option
@calibration_option
@values_option
@activations_option
@click.option("--low", type=float, help="Smallest x that will be asked of a float model of one number.")
@click.option("--high", type=float, help="Largest x that will be asked of it.")
@fleet_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file, too.")
@click.pass_context
def command(
    context: click.Context,
    board: str | None,
    port: str | None,
    model: str | None,
    name: str | None,
    calibration: Path | None,
    values: tuple[float, float] | None,
    activations: str | None,
    low: float | None,
    high: float | None,
    fleet: tuple[str, ...],
    coordinator: str | None,
    wait: float | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Train, quantize, compile, start the board, and prove that it answers bit for bit.

    Settings come from tinyproof.toml where there is one. Artefacts are in build/<model>/. A model that is brought
    is imported instead of trained: an int8 .tflite as it is, a float model after quantization with --calibration.
    A real board is flashed first; with --port, a simulated one is taken as it runs behind that port.
    --board all builds and checks every simulated board, two at a time, and ends with one table; --fleet does so on all
    boards of a fleet that match, at once.

    Exits 0 only if every bit is identical and every answer is within the tolerance, 1 on a mismatch, 3 if a board
    cannot be proven: its tools are missing, or the model is too big for it.
    """
    asked = fleet_wanted(fleet, coordinator, wait, board=board, port=port)
    config = _settings(board, port, low, high)
    stages = Stages(quiet=as_json)

    wanted = Wanted(calibration, low, high, activations, name, values)
    found = find_brought(model, wanted)
    with hold(found.name if found is not None else model or config.model, makes=True):
        config = make_model(stages, config, model, found, wanted)
        if asked is not None:
            verdict = _prove_fleet(stages, config, asked)
        else:
            verdict = _prove_all(stages, config) if config.board == ALL else _prove_one(stages, config, port)
        page = stages.run("report", lambda: run_report(config))  # also of a mismatch: it says where

    if junit is not None:
        verdict.write_junit(junit)
        console.note(console.JUNIT)
    if as_json:
        console.print_json({"stages": stages.seconds, **verdict.document, "report": shown(page)})
    else:
        verdict.show()
        print_report(page)
        click.echo(f"time     {in_words(stages.seconds)}")
        verdict.conclude()
        if found is not None and verdict.exit_code == EXIT_PROVEN:
            _print_next(config)
    verdict.add_to_summary()
    context.exit(verdict.exit_code)


def _print_next(config: Config) -> None:
    """Where to go with a model that was brought and is proven."""
    console.print_next(
        f"./tinyproof check --model {config.model} --dataset FILE   # accuracy on your samples",
        f"./tinyproof profile --model {config.model}   # which operator takes the time",
        f"./tinyproof export --model {config.model} --as KIND --to FOLDER   # into your own firmware",
        f"./tinyproof boards   # others to prove it on; then run --model {config.model} --board NAME",
    )


def _settings(board: str | None, port: str | None, low: float | None, high: float | None) -> Config:
    config = load_config(CONFIG_FILE)
    asked = dataclasses.replace(
        config.export,
        low=config.export.low if low is None else low,
        high=config.export.high if high is None else high,
    )
    config = dataclasses.replace(config, board=board or config.board, export=asked)
    if config.board != ALL:
        find_board(config.board)  # a wrong name is told before the work, not after it
    elif port is not None:
        raise UsageError("--port names one board; --board all starts simulated ones, which need none")
    return config


class _Verdict(NamedTuple):
    """What the boards' answers came to: for a program, for a person, and for the shell."""

    document: dict[str, Any]
    show: Callable[[], None]
    conclude: Callable[[], None]  # the last word
    exit_code: int
    write_junit: Callable[[Path], None]
    add_to_summary: Callable[[], None]  # when all else is said: it may be that nobody can write there


def _prove_one(stages: Stages, config: Config, port: str | None) -> _Verdict:
    reached = put_on_board(stages, config, port)
    report = stages.run("check", lambda: run_check(config, reached))
    return _Verdict(
        {"check": report.as_dict()},
        show=lambda: print_answers(report),
        conclude=lambda: print_verdict(report),
        exit_code=EXIT_PROVEN if report.proven else EXIT_MISMATCH,
        write_junit=lambda file: _junit(report, file),
        add_to_summary=lambda: add_check(report),
    )


def _prove_all(stages: Stages, config: Config) -> _Verdict:
    rows = stages.run("boards", lambda: run_matrix(config))
    return _Verdict(
        as_document(rows),
        show=lambda: print_matrix(rows),
        conclude=lambda: conclude_matrix(rows),
        exit_code=exit_code(rows),
        write_junit=lambda file: _junit_of_all(config, rows, file),
        add_to_summary=lambda: add_matrix(rows),
    )


def _prove_fleet(stages: Stages, config: Config, asked: FleetWanted) -> _Verdict:
    from tinyproof.cli.run_fleet import joined_fleet, print_fleet, run_fleet, write_fleet_junit
    from tinyproof.fleet_checking import as_fleet_document

    with joined_fleet(config, asked) as (fleet, places):
        rows = stages.run("boards", lambda: run_fleet(config, fleet, places, asked))
    write_matrix(config, rows)
    return _Verdict(
        as_fleet_document(rows, fleet.address),
        show=lambda: print_fleet(rows),
        conclude=lambda: conclude(rows),
        exit_code=exit_code(rows),
        write_junit=lambda file: write_fleet_junit(config.model, rows, file),
        add_to_summary=lambda: add_matrix(rows),
    )


def _junit(report: CheckReport, file: Path) -> None:
    from tinyproof.host.junit import write_junit

    write_junit(report, file)


def _junit_of_all(config: Config, rows: list[MatrixRow], file: Path) -> None:
    from tinyproof.host.junit import write_junit_of_boards

    failed = {row.board: (row.error, row.exit_code == EXIT_MISMATCH) for row in rows if not row.proven}
    write_junit_of_boards(config.model, [row.board for row in rows], failed, file)
