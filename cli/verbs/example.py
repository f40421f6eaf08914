# SPDX-License-Identifier: Apache-2.0
"""`tinyproof example`: a model and data to try one's own models' way with."""

from __future__ import annotations

from pathlib import Path

import click

from tinyproof.cli import console
from tinyproof.cli.verbs.report import shown
from tinyproof.core.paths import BUILD

FOLDER = BUILD / "example"


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Where to. [default: build/example]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: the files and the accuracy.")
def command(folder: Path, as_json: bool) -> None:
    """Train a small network that tells gestures apart, to walk through with a model of one's own.

    Writes gestures.keras, calibration samples and labelled test samples, and prints the commands that quantize the
    model, prove it on a board, and measure its accuracy there.
    """
    from tinyproof.train.gestures import CLASSES, make_gestures

    with console.progress() as bar:
        task = bar.add_task("train    ", note="")
        example = make_gestures(folder, lambda done, total: bar.update(task, completed=done, total=total))
    files = {name: shown(getattr(example, name).resolve()) for name in ("model", "calibration", "test")}
    if as_json:
        console.print_json({**files, "accuracy": example.accuracy, "classes": CLASSES})
        return
    click.echo(f"model    {files['model']}   {', '.join(CLASSES)}; float accuracy {example.accuracy:.1%}")
    click.echo(f"next     ./tinyproof run --model {files['model']} --calibration {files['calibration']}")
    click.echo(f"         ./tinyproof check --model gestures --dataset {files['test']}")
