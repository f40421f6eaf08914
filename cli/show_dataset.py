# SPDX-License-Identifier: Apache-2.0
"""`tinyproof check --dataset`: a board asked the samples of a file. Part of `check`, not a verb of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.localize import locate
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config
from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import build_dir

if TYPE_CHECKING:
    from tinyproof.host.check_dataset import DatasetReport

SHOWN_DIVERGENCES = 5


def ask_samples(config: Config, port: str | None, dataset: Path, limit: int | None, *, as_json: bool) -> None:
    """Asks and prints. Raises MismatchError when a bit differs from the golden reference's."""
    report = run_samples(config, port, dataset, limit)
    if as_json:
        console.print_json(report.as_dict())
    else:
        print_samples(report)
    if not report.proven:
        raise MismatchError(report.mismatch())


def run_samples(config: Config, port: str | None, dataset: Path, limit: int | None) -> DatasetReport:
    """Asks config.board the samples of `dataset`, showing progress on a terminal."""
    from tinyproof.core.data_set import read_dataset
    from tinyproof.host.check_dataset import check_dataset, write_dataset_report

    folder = build_dir(config.model)
    manifest = read_manifest(folder)
    if not manifest.inputs:
        raise UsageError(f"build/{config.model} is not exported yet; run ./tinyproof export first")
    samples = read_dataset(dataset, manifest.inputs[0].bytes)
    board = find_board(config.board)
    with console.progress() as bar:
        task = bar.add_task(f"check {board.name}", total=None, note="")
        report = check_dataset(
            *(board, folder, port, config.check, samples, limit),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
        if report.divergences:
            bar.update(task, note="looks for the layer")
            report.layer_note = locate(board, folder, report.divergences, config.check)
            write_dataset_report(report, board, folder)
        return report


def print_samples(report: DatasetReport) -> None:
    """The lines of a data set's check, at most 80 columns wide."""
    of = f"{report.samples:,} of {report.samples_in_file:,} samples on {report.board}"
    click.echo(f"check    {ascii(report.file)[1:-1]:<24}{of}")
    for divergence in report.divergences[:SHOWN_DIVERGENCES]:
        click.echo(f"         bits differ at {divergence}")
    if report.layer_note:
        click.echo(f"         {report.layer_note}")
    ticks = f"{report.ticks_min:,}"
    if report.ticks_max != report.ticks_min:
        ticks += f" to {report.ticks_max:,}"
    rate = report.samples / report.seconds if report.seconds else 0.0
    click.echo(f"         {ticks} {report.tick_unit} per inference; {rate:,.1f} samples per second over the line")
    if report.input_saturated:
        click.echo(f"         {report.input_saturated:,} samples hold values beyond the input's range: they saturate")
    accuracy = report.accuracy
    if accuracy and accuracy["kind"] == "class":
        click.echo(f"accuracy {accuracy['share']:.1%} {'':<18}{accuracy['correct']:,} of {report.samples:,} labels")
    elif accuracy:
        click.echo(f"accuracy RMSE {accuracy['rmse']:<19.4g}worst error {accuracy['worst']:.4g}")
    same = report.samples - report.different
    verdict = f"{same:,} of {report.samples:,} samples bit-identical to {report.reference}"
    if report.accuracy is None:
        verdict += "; the file has no labels"
    label, colour = ("proof", "green") if report.proven else ("MISMATCH", "red")
    console.stdout().print(f"{label:<9}{verdict}", style=f"bold {colour}", markup=False)
