# SPDX-License-Identifier: Apache-2.0
"""`tinyproof compare`: two builds, or two revisions of a model, side by side; fails on a regression."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import CALIBRATION_HELP, classes_option, values_option
from tinyproof.cli.step_summary import add_comparison
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.comparison import (
    Compared,
    Limits,
    Measured,
    build_of_revision,
    compare,
    find_build,
    measure_both,
)
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.data_set import DataForm, read_classes
from tinyproof.core.errors import MismatchError
from tinyproof.core.escaping import escaped
from tinyproof.core.paths import CONFIG_FILE

PERCENT = click.FloatRange(min=0)
USUAL = Limits()


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--model", type=click.Path(path_type=Path), metavar="FILE", help="OLD and NEW are git revisions of it.")
@click.option("--calibration", type=click.Path(path_type=Path), metavar="FILE", help=CALIBRATION_HELP)
@click.option("--board", help="Board to compare on. [default: qemu-cortex-m4]")
@click.option("--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Samples for the accuracy of both.")
@classes_option
@values_option
@click.option("--limit", type=click.IntRange(min=1), help="Ask only so many samples of the data set.")
@click.option("--max-flash", type=PERCENT, default=USUAL.flash, show_default=True, help="Growth in percent.")
@click.option("--max-ram", type=PERCENT, default=USUAL.ram, show_default=True, help="Growth in percent.")
@click.option("--max-instructions", type=PERCENT, default=USUAL.ticks, show_default=True, help="Growth in percent.")
@click.option(
    "--max-accuracy-loss",
    type=PERCENT,
    default=USUAL.accuracy_loss,
    show_default=True,
    help="Percentage points; of real answers, growth of the RMSE in percent.",
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the comparison as a page, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(
    old: str,
    new: str,
    model: Path | None,
    calibration: Path | None,
    board: str | None,
    dataset: Path | None,
    classes: str | None,
    values: tuple[float, float] | None,
    limit: int | None,
    max_flash: float,
    max_ram: float,
    max_instructions: float,
    max_accuracy_loss: float,
    html: Path | None,
    as_json: bool,
) -> None:
    """Set two builds side by side: bits, sizes, instructions, accuracy.

    OLD and NEW are builds, by name or as folders, such as one that an earlier CI run has kept; with --model, revisions
    that git knows, whose models are imported as build/compare-old and build/compare-new. What the builds' records do
    not hold is measured on the board.

    --html adds what each layer costs, where `profile` has measured that in both builds, what RAM and flash are for, and
    the classes of a data set, as one page that needs no other file.

    \b
    ./tinyproof compare main HEAD --model model.tflite
    ./tinyproof compare kept/gestures build/gestures --max-flash 5

    Exits 1 where NEW's bits differ from TFLite Micro's, or a figure is worse by more than its limit.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)  # a wrong name is told before the work, not after it
    form = DataForm(() if classes is None else read_classes(classes), values)
    if model is None:
        folders = (find_build(old), find_build(new))
    else:
        folders = (
            build_of_revision(config, model, old, "old", calibration),
            build_of_revision(config, model, new, "new", calibration),
        )
    sides = measure_both((old, new), folders, find_board(config.board), config, dataset, limit, console.remark, form)
    rows = compare(*sides, Limits(max_flash, max_ram, max_instructions, max_accuracy_loss))
    worse = [row.figure for row in rows if row.regressed]
    if html is not None:
        from tinyproof.report.comparison import Words, write_comparison

        words = Words([_cells(row) for row in rows], worse, _proof(config, sides[1]))
        write_comparison(html, (old, new), folders, config.board, words)
    if as_json:
        console.print_json(
            {
                "board": config.board,
                **{role: dataclasses.asdict(side) for role, side in zip(("old", "new"), sides, strict=True)},
                "figures": [dataclasses.asdict(row) for row in rows],
                "regressed": worse,
            }
        )
    else:
        _print(config, *sides, rows)
    add_comparison(config.board, *sides, map(_cells, rows))
    if worse:
        raise MismatchError(f"{escaped(new)} is worse than {escaped(old)} beyond the limits: {', '.join(worse)}")


def _print(config: Config, old: Measured, new: Measured, rows: list[Compared]) -> None:
    click.echo(f"{'compare':<{LABEL}}{escaped(old.name)} ({old.model_id}) -> {escaped(new.name)} ({new.model_id})")
    lines = [("", "old", "new", "change", "limit", ""), *map(_cells, rows)]
    for line in aligned(lines, right=(1, 2, 3, 4)):
        click.echo(f"{'':<{LABEL}}{line}")
    label = "WORSE" if any(row.regressed for row in rows) else "proof"
    click.echo(f"{label:<{LABEL}}{_proof(config, new)}")


def _proof(config: Config, new: Measured) -> str:
    same = new.bits_checked - new.bits_different
    return f"{same} of {new.bits_checked} inputs of the new one bit-identical on {config.board}"


def _cells(row: Compared) -> tuple[str, str, str, str, str, str]:
    """A figure's line: both values, the change and its limit in the same unit, and whether it is beyond that."""
    unit = " points" if row.figure == "accuracy" else "%"
    change = "" if row.change is None else f"{row.change:+.1f}{unit}"
    sign = "-" if row.figure == "accuracy" else "+"
    limit = "" if row.limit is None else f"{sign}{row.limit:g}{unit}" if row.limit else "0"
    return (row.figure, _value(row, row.old), _value(row, row.new), change, limit, "WORSE" if row.regressed else "")


def _value(row: Compared, value: float) -> str:
    if row.figure == "accuracy":
        return f"{value:.1%}"
    return f"{value:.4g}" if row.figure == "RMSE" else f"{value:,}"
