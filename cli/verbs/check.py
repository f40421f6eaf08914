# SPDX-License-Identifier: Apache-2.0
"""`tinyproof check`: asks a board every vector and every known answer."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.localize import locate
from tinyproof.cli.model_option import model_option, select_model
from tinyproof.cli.show_dataset import ask_samples
from tinyproof.cli.tables import aligned
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import CheckConfig, Config, load_config
from tinyproof.core.errors import MismatchError, TinyproofError, UsageError
from tinyproof.core.paths import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from tinyproof.host.check_report import CheckedAnswer, CheckReport

WIDTH = 80
LABEL = 9  # columns of the label in front of each line
SHOWN_DIVERGENCES = 5


@click.command()
@click.option("--board", help="Board to check; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@click.option("--port", help="A device file, socket://HOST:PORT or rfc2217://HOST:PORT; simulated boards need none.")
@model_option
@click.option("--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Ask these samples: .npz or .csv.")
@click.option("--limit", type=click.IntRange(min=1), help="Ask only so many samples of the data set.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds to wait for an answer.")
@click.option("--retries", type=click.IntRange(0, 1000), help="How often a lost or damaged request is repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file, too.")
def command(
    board: str | None,
    port: str | None,
    model: str | None,
    dataset: Path | None,
    limit: int | None,
    timeout: float | None,
    retries: int | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Prove a board: all bits against TFLite Micro, and the answers against what is right.

    Sends every vector of the build and compares the int8 outputs with the golden reference's; then asks the
    expected answers in real values. Refuses a board that runs another model. The build must have been exported,
    and a simulated board's firmware built; the report is also in build/<model>/boards/<board>/check.json.

    \b
    ./tinyproof check                                simulated Cortex-M4F
    ./tinyproof check --board nano33ble --port /dev/ttyACM0
    ./tinyproof check --port socket://127.0.0.1:4000 what `simulate` printed
    ./tinyproof check --dataset digits.npz --limit 50

    A data set is a .npz with x [N, ...] (or x_q, int8) and optional y, or a .csv with one column for each input value
    and an optional column y or label. Every sample is compared with the golden reference, bit for bit; class numbers
    in y give the accuracy, real answers the error.

    Exits 0 if all is proven, 1 on a mismatch, 3 if the board is absent, silent or runs another model.
    """
    config = load_config(CONFIG_FILE)
    wanted = dataclasses.replace(
        config.check,
        timeout_s=timeout or config.check.timeout_s,
        retries=config.check.retries if retries is None else retries,
    )
    config = select_model(dataclasses.replace(config, board=board or config.board, check=wanted), model)
    if dataset is not None:
        if junit is not None:
            raise UsageError("--junit is for the vectors of the build; leave out --dataset or --junit")
        ask_samples(config, port, dataset, limit, as_json=as_json)
        return
    if limit is not None:
        raise UsageError("--limit counts samples of a data set; name it with --dataset")
    report = _check_with_junit(config, port, junit)
    if as_json:
        console.print_json(report.as_dict())
    else:
        print_check(report)
    if not report.proven:
        raise MismatchError(report.mismatch())


def run_check(config: Config, port: str | None = None) -> CheckReport:
    """Checks config.board against build/<config.model>, showing progress on a terminal."""
    board = find_board(config.board)
    with console.progress() as bar:
        task = bar.add_task(f"check {board.name}", total=None, note="")

        def progress(done: float, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return check_and_locate(
            *(board, build_dir(config.model), port, config.check),
            *(progress, lambda: bar.update(task, note="looks for the layer")),
        )


def check_and_locate(
    board: Board,
    folder: Path,
    port: str | None,
    config: CheckConfig,
    progress: Callable[[float, int], None],
    differs: Callable[[], None],
) -> CheckReport:
    """The check, and where bits differ also the layer in which that begins; `differs` is called in between."""
    from tinyproof.host.check import check, write_report

    report = check(board, folder, port, config, progress)
    if report.divergences:
        differs()
        report.layer_note = locate(board, folder, report.divergences, config)
        write_report(report, board, folder)
    return report


def print_check(report: CheckReport) -> None:
    """The table of answers and the proof, at most 80 columns wide."""
    out = console.stdout()
    label = "check"
    if report.answers:
        rows = [("x", "expected", report.board, "error", "bits"), *map(_row, report.answers)]
        for line in aligned(rows):
            out.print(f"{label:<{LABEL}}{line}", markup=False)
            label = ""
    for divergence in report.divergences[:SHOWN_DIVERGENCES]:
        _say(label, f"bits differ at {divergence}")
        label = ""
    if report.layer_note:
        _say(label, report.layer_note)
    if report.bits_different > SHOWN_DIVERGENCES:
        _say(label, f"... and {report.bits_different - SHOWN_DIVERGENCES} more")
        label = ""
    _say(label, _link_words(report))
    _say("proof" if report.proven else "MISMATCH", _verdict(report), "bold green" if report.proven else "bold red")


def _row(answer: CheckedAnswer) -> tuple[str, str, str, str, str]:
    bits = "identical" if answer.identical else "DIFFERENT"
    if answer.within is False:
        bits += ", out of tolerance"
    if answer.saturated:
        bits += f", {answer.saturated} saturated"
    return (_reals(answer.x, 1), _reals(answer.expected, 2), _reals(answer.y, 2), f"{answer.error:.2f}", bits)


def _reals(values: list[float], digits: int) -> str:
    shown = " ".join(f"{value:z.{digits}f}" for value in values[: 3 if len(values) <= 3 else 2])
    return shown if len(values) <= 3 else f"{shown} ..."


def _link_words(report: CheckReport) -> str:
    ticks = f"{report.ticks_min:,}"
    if report.ticks_max != report.ticks_min:
        ticks += f" to {report.ticks_max:,}"
    words = f"{ticks} {report.tick_unit} per inference; {report.round_trips_per_second:,.0f} round trips per second"
    if report.repeats:
        words += f"; {report.repeats} requests repeated"
    if report.resets:
        words += f"; the board restarted {report.resets} times"
    return words


def _verdict(report: CheckReport) -> str:
    same = report.bits_checked - report.bits_different
    inputs = "int8 inputs" if report.vectors == "exhaustive" else "random inputs"
    words = f"{same} of {report.bits_checked} {inputs} bit-identical to {report.reference}"
    if not report.answers:
        return f"{words}; no answers are known for this model"
    if report.tolerance is None:
        return f"{words}; answers shown, with no tolerance to judge them by"
    verdict = "within" if report.answers_within_tolerance else "NOT within"
    words = f"{words}; answers {verdict} tolerance {report.tolerance:.2g} (why: {report.tolerance_why})"
    if not all(answer.identical for answer in report.answers):
        words += "; " + next(answer.fault for answer in report.answers if not answer.identical)
    return words


def _say(label: str, words: str, style: str = "") -> None:
    lines = textwrap.wrap(words, WIDTH - LABEL, break_on_hyphens=False)
    out = console.stdout()
    out.print(f"{label:<{LABEL}}", end="", style=style, markup=False)
    out.print(f"\n{'':<{LABEL}}".join(lines), markup=False)


def _check_with_junit(config: Config, port: str | None, junit: Path | None) -> CheckReport:
    if junit is None:
        return run_check(config, port)
    from tinyproof.host.check_report import write_junit, write_junit_error

    try:
        report = run_check(config, port)
    except TinyproofError as error:
        write_junit_error(config.model, config.board, error.message, junit)
        raise
    write_junit(report, junit)
    return report
