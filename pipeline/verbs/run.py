# SPDX-License-Identifier: Apache-2.0
"""`tinyproof run`: the whole proof, from training to the board's answers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from pipeline import console
from pipeline.boards import find_board
from pipeline.config import load_config
from pipeline.errors import EXIT_MISMATCH, UsageError
from pipeline.project import CONFIG_FILE
from pipeline.verbs.matrix import ALL, as_document, exit_code, print_matrix, run_matrix
from pipeline.verbs.models import (
    calibration_option,
    find_brought,
    import_file,
    model_option,
    print_import,
    was_imported,
)

T = TypeVar("T")


@click.command()
@click.option("--board", help="Board to prove on, or all simulated ones: all. [default: qemu-cortex-m4]")
@click.option("--port", help="Serial port of a real board: a device file, socket:// or rfc2217:// URL.")
@model_option
@calibration_option
@click.option("--low", type=float, help="Smallest x that will be asked of a float model of one number.")
@click.option("--high", type=float, help="Largest x that will be asked of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.pass_context
def command(
    context: click.Context,
    board: str | None,
    port: str | None,
    model: str | None,
    calibration: Path | None,
    low: float | None,
    high: float | None,
    as_json: bool,
) -> None:
    """Train, quantize, compile, start the board, and prove that it answers bit for bit.

    Settings come from tinyproof.toml where there is one. Artefacts are in build/<model>/. A model that is brought
    is imported instead of trained: an int8 .tflite as it is, a float model after quantization with --calibration.
    A real board is flashed first; with --port, a simulated one is taken as it runs behind that port.
    --board all builds and checks every simulated board, two at a time, and ends with one table.

    Exits 0 only if every bit is identical and every answer is within the tolerance, 1 on a mismatch, 3 if a board
    cannot be proven: its tools are missing, or the model is too big for it.
    """
    from pipeline.verbs.build import print_build, run_build
    from pipeline.verbs.check import print_check, run_check
    from pipeline.verbs.export import print_export, run_export
    from pipeline.verbs.flash import print_flash, run_flash
    from pipeline.verbs.report import print_report, run_report, shown, training_plot
    from pipeline.verbs.train import print_train, run_train

    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    config = dataclasses.replace(
        config,
        export=dataclasses.replace(
            config.export,
            low=config.export.low if low is None else low,
            high=config.export.high if high is None else high,
        ),
    )
    if config.board != ALL:
        find_board(config.board)  # a wrong name is told before the work, not after it
    elif port is not None:
        raise UsageError("--port names one board; --board all starts simulated ones, which need none")
    seconds: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = work()
        seconds[stage] = round(time.perf_counter() - started, 2)
        return result

    started = time.perf_counter()
    found = find_brought(model, calibration)
    if found is not None:
        config, manifest = import_file(config, found, calibration, low, high)
        seconds["import"] = round(time.perf_counter() - started, 2)
        if not as_json:
            print_import(manifest)
    else:
        config = dataclasses.replace(config, model=model or config.model)
        if not was_imported(config):
            trained = timed("train", lambda: run_train(config))
            if not as_json:
                print_train(trained)
                click.echo(training_plot(config))
            exported = timed("export", lambda: run_export(config))
            if not as_json:
                print_export(exported)
    if config.board == ALL:
        rows = timed("boards", lambda: run_matrix(config))
        page = timed("report", lambda: run_report(config))
        if as_json:
            console.print_json({"stages": seconds, **as_document(rows), "report": shown(page)})
        else:
            print_matrix(rows)
            print_report(page)
            _print_times(seconds)
        context.exit(exit_code(rows))
    kind = find_board(config.board).kind
    if kind == "serial":
        flashed = timed("flash", lambda: run_flash(config, port))
        port = flashed.port
        if not as_json:
            print_flash(config, flashed)
    elif kind == "simulated" and port is None:
        built = timed("build", lambda: run_build(config))
        if not as_json:
            print_build(built)
    report = timed("check", lambda: run_check(config, port))
    page = timed("report", lambda: run_report(config))  # also of a mismatch: it says where
    if as_json:
        console.print_json({"stages": seconds, "check": report.as_dict(), "report": shown(page)})
    else:
        print_check(report)
        print_report(page)
        _print_times(seconds)
    if not report.proven:
        context.exit(EXIT_MISMATCH)


def _print_times(seconds: dict[str, float]) -> None:
    click.echo("time     " + ", ".join(f"{stage} {value:.1f} s" for stage, value in seconds.items()))
