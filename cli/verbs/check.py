# SPDX-License-Identifier: Apache-2.0
"""`tinyproof check`: asks a board every vector and every known answer, or the samples of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tinyproof.cli import console
from tinyproof.cli.ask_board import run_check, run_samples
from tinyproof.cli.fleet_option import FleetWanted, fleet_options, fleet_wanted
from tinyproof.cli.model_option import classes_option, hold, model_option, select_model, values_option
from tinyproof.cli.show_check import print_check
from tinyproof.cli.show_dataset import print_samples
from tinyproof.cli.step_summary import add_check
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.core.paths import CONFIG_FILE

if TYPE_CHECKING:
    from tinyproof.host.check_report import CheckReport, DatasetReport

Report = TypeVar("Report", "CheckReport", "DatasetReport")


@click.command()
@click.option("--board", help="Board to check; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@click.option("--port", help="A device file, socket://HOST:PORT or rfc2217://HOST:PORT; simulated boards need none.")
@model_option
@click.option(
    "--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Ask these samples: .npz, .npy, .csv, a folder."
)
@classes_option
@values_option
@click.option("--limit", type=click.IntRange(min=1), help="Ask only so many samples of the data set.")
@click.option("--vectors", type=click.IntRange(min=0), metavar="N", help="Ask N more inputs, which the board makes.")
@click.option("--seed", type=click.IntRange(min=0), help="Of those inputs: another seed, other inputs. [default: 1]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds to wait for an answer.")
@click.option("--total", type=click.FloatRange(min=0, min_open=True), help="Seconds that all answers may take.")
@click.option("--retries", type=click.IntRange(0, 1000), help="How often a lost or damaged request is repeated.")
@click.option("--baud", type=click.IntRange(min=1), help="Speed of a real line; the board's first one: no other.")
@fleet_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file, too.")
def command(
    board: str | None,
    port: str | None,
    model: str | None,
    dataset: Path | None,
    classes: str | None,
    values: tuple[float, float] | None,
    limit: int | None,
    vectors: int | None,
    seed: int | None,
    timeout: float | None,
    total: float | None,
    retries: int | None,
    baud: int | None,
    fleet: tuple[str, ...],
    coordinator: str | None,
    wait: float | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Prove a board: all bits against TFLite Micro, and the answers against what is right.

    Sends every vector of the build and compares the outputs' bits with the golden reference's; then asks the
    expected answers in real values. Of a simulated board every layer is compared, too, by digests: `build` has made a
    second firmware that traces them. Refuses a board that runs another model. The build must have been exported,
    and a simulated board's firmware built; the report is also in build/<model>/boards/<board>/check.json.

    \b
    ./tinyproof check                                simulated Cortex-M4F
    ./tinyproof check --board nano33ble --port /dev/ttyACM0
    ./tinyproof check --port socket://127.0.0.1:4000 what `simulate` printed
    ./tinyproof check --dataset digits.npz --limit 50
    ./tinyproof check --fleet simulated=yes          all of a fleet that match, at once

    A data set is a .npz with x [N, ...] (or x_q, integers) and optional y, a .npy with x alone, a .csv with one column
    for each input value and an optional one for the answer (y, label or class; the last one where there is no header),
    or a folder of images or .wav files, which are in a folder for each class where they are labelled. Every sample is
    compared with the golden reference, bit for bit; class numbers or names in y give the accuracy, real answers the
    error. Where half of them or more hold values beyond the range that the model was quantized for, the verdict is
    DOUBTFUL: the bits are right, and say little of the answers.

    Of a model with state a sample may be a sequence of frames, x [N, frames, ...] or a row of as many values: it comes
    after a reset, every frame's bits are compared, and what it answers is the largest value over all frames where y
    holds class numbers (of one output: 1 and 0, heard from 0.5 on), and the last frame's where y holds real answers.

    With --vectors N the board makes N more inputs itself, of --seed: any bytes, values near the zero point, one element
    at a time, ramps and extremes. It answers digests of many at once, so that the line holds nothing up; where one
    differs from the golden reference's, the first such input is found. Of a model with state every 32 of them come
    after a reset, in a row.

    With --fleet the build is put on every board that matches, when it is its turn, after what is missing was made: the
    firmware, and the lesson's neuron where there is no model yet. `./tinyproof fleet up` offers boards.

    Exits 0 if no bit and no answer differs, 1 on a mismatch, 3 if the board is absent, silent or runs another model.
    """
    asked = fleet_wanted(fleet, coordinator, wait, board=board, port=port, dataset=dataset, limit=limit)
    config = load_config(CONFIG_FILE)
    wanted = dataclasses.replace(
        config.check,
        timeout_s=timeout or config.check.timeout_s,
        total_s=total or config.check.total_s,
        retries=config.check.retries if retries is None else retries,
        vectors=config.check.vectors if vectors is None else vectors,
        seed=config.check.seed if seed is None else seed,
        baud=baud or config.check.baud,
    )
    config = select_model(dataclasses.replace(config, board=board or config.board, check=wanted), model)
    if dataset is None and limit is not None:
        raise UsageError("--limit counts samples of a data set; name it with --dataset")
    if dataset is not None and (vectors is not None or seed is not None):
        raise UsageError("--vectors and --seed are of inputs that the board makes; leave out --dataset, or these")
    if seed is not None and not wanted.vectors:
        raise UsageError("--seed is of inputs that the board makes; say how many with --vectors")
    if asked is not None:
        _check_fleet(config, model, asked, junit, as_json=as_json)
        return
    from tinyproof.core.data_set import DataForm, read_classes

    form = DataForm(() if classes is None else read_classes(classes), values)
    with hold(config.model, shared=True):
        if dataset is None:
            _tell(run_check(config, port), print_check, junit, as_json=as_json)
            if not as_json:
                console.print_next(
                    f"./tinyproof profile --model {config.model}   # which operator takes the time",
                    f"./tinyproof report --model {config.model}   # all of it as one page",
                )
        else:
            _tell(run_samples(config, port, dataset, limit, form), print_samples, junit, as_json=as_json)


def _check_fleet(config: Config, model: str | None, asked: FleetWanted, junit: Path | None, *, as_json: bool) -> None:
    """Every board that matches. Raises what the worst of them stands for, in one line."""
    from tinyproof.cli.run_all import conclude
    from tinyproof.cli.run_fleet import joined_fleet, make_lesson, print_fleet, run_fleet, write_fleet_junit
    from tinyproof.cli.step_summary import add_matrix
    from tinyproof.fleet_checking import as_fleet_document, fault_of

    with joined_fleet(config, asked) as (fleet, places):
        if model is None:
            make_lesson(config, quiet=as_json)
        rows = run_fleet(config, fleet, places, asked)
    if junit is not None:
        write_fleet_junit(config.model, rows, junit)
    if as_json:
        console.print_json(as_fleet_document(rows, fleet.address))
    else:
        print_fleet(rows)
        conclude(rows)
    add_matrix(rows)
    if fault := fault_of(rows):
        raise fault


def _tell(report: Report, show: Callable[[Report], None], junit: Path | None, *, as_json: bool) -> None:
    """Raises MismatchError where bits or answers differ."""
    if junit is not None:
        from tinyproof.host.junit import write_junit

        write_junit(report, junit)
        console.note(console.JUNIT)
    if as_json:
        console.print_json(report.as_dict())
    else:
        show(report)
    add_check(report)
    if fault := report.mismatch():
        raise MismatchError(fault)
