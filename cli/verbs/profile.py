# SPDX-License-Identifier: Apache-2.0
"""`tinyproof profile`: which operator takes the time, and which one loses the accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold, model_option, select_model, values_option
from tinyproof.cli.tables import WIDTH, aligned
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.paths import CONFIG_FILE
from tinyproof.profiling import run_profile


@click.command()
@click.option("--board", help="Board to measure on; a real one needs the compiled engine. [default: qemu-cortex-m4]")
@click.option(
    "--port", help="Serial port of a real board; without one, the only board of this kind that is plugged in."
)
@model_option
@click.option("--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Samples for the accuracy of layers.")
@values_option
@click.option("--no-noise", is_flag=True, help="Leave out the comparison with the float model, and TensorFlow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(
    board: str | None,
    port: str | None,
    model: str | None,
    dataset: Path | None,
    values: tuple[float, float] | None,
    no_noise: bool,
    as_json: bool,
) -> None:
    """Time every operator on a board, and compare every layer with the float model where there is one.

    Builds a second firmware, around the same generated C, that runs the operators one by one; the normal build stays
    as it is. A real board is flashed with it: flash your model again afterwards. Cycles, of simulated boards with a
    Cortex-M4, are told from the instructions that ran, by the core's manual and with memory that never waits. SQNR is
    the signal to quantization noise ratio behind each operator; `added` is the share of the signal that becomes noise
    in it. Samples are those of --dataset, or else the build's vectors, which are no real data. The result is
    also in build/<model>/boards/<board>/profile.json.

    Exits 1 where an operator answers other bits than TFLite Micro's, and names it.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    if values is not None and dataset is None:
        raise UsageError("--values is of samples in a folder: name that with --dataset")
    with hold(config.model):
        document = run_profile(config, port, dataset, noise=not no_noise, remark=console.remark, values=values)
    if as_json:
        console.print_json(document)
    else:
        print_profile(document)
        back = [f"./tinyproof flash --board {config.board}   # puts the model back"]
        console.print_next(
            *(back if find_board(config.board).kind == "serial" else []),
            f"./tinyproof report --model {config.model}   # as pictures, with RAM and flash",
        )


def print_profile(document: dict[str, Any]) -> None:
    """One line for each operator, and which of them to look at."""
    unit, operators = document["tick_unit"], document["operators"]
    with_cycles = document["cycles"] is not None
    total = f"{document['ticks']:,} {unit}" + (f", {document['cycles']:,} cycles" if with_cycles else "")
    click.echo(f"profile  {document['model']} on {document['board']}: {total}, {document['macs']:,} MACs")
    with_noise = document["noise_samples"] is not None
    click.echo("\n".join(_table(operators, unit, with_cycles=with_cycles, with_noise=with_noise)))
    slowest = max(operators, key=lambda op: op["ticks"])
    console.say("slowest", f"operator {slowest['index']} ({slowest['name']}), {slowest['share']:.1%} of the time")
    noisy = [op for op in operators if op["noise_added"]]
    if noisy:
        worst = max(noisy, key=lambda op: op["noise_added"])
        console.say(
            "noisiest",
            f"operator {worst['index']} ({worst['name']}) adds {worst['noise_added']:.2%} of its signal as noise, on "
            f"{document['noise_samples']}",
        )
    elif not with_noise:
        click.echo("         no float model at hand, or not asked: no SQNR")


def _table(operators: list[dict[str, Any]], unit: str, *, with_cycles: bool, with_noise: bool) -> list[str]:
    """Within 80 columns: without the rate, and then the multiplications, where there is no room; then names lose their
    middle."""
    for left_out in ((), ("rate",), ("rate", "macs")):
        columns: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
            "index": ("", lambda op: str(op["index"])),
            "name": ("operator", lambda op: str(op["name"])),
            "output": ("output", lambda op: "x".join(map(str, op["output"]))),
            "macs": ("MACs", lambda op: f"{op['macs']:,}"),
            "ticks": (unit, lambda op: f"{op['ticks']:,}"),
        }
        if with_cycles:
            columns["cycles"] = ("cycles", lambda op: f"{op['cycles']:,}")
        columns["share"] = ("share", lambda op: f"{op['share']:.1%}")
        columns["rate"] = (f"MAC/{unit}", lambda op: _or_dash(op["macs_per_tick"], ".3f"))
        if with_noise:
            columns["sqnr"] = ("SQNR dB", lambda op: _or_dash(op["sqnr_db"], ".1f"))
            columns["added"] = ("added", lambda op: _or_dash(op["noise_added"], ".2%"))
        shown = [column for key, column in columns.items() if key not in left_out]
        rows = [[title for title, _ in shown], *([cell(op) for _, cell in shown] for op in operators)]
        right = (0, *range(3, len(shown)))
        if max(map(len, aligned(rows, right))) <= WIDTH:
            break
    return aligned(rows, right, shorten=(1, 2))


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
