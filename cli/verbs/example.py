# SPDX-License-Identifier: Apache-2.0
"""`tinyproof example`: models and data to try one's own models' way with."""

from __future__ import annotations

from pathlib import Path

import click

from tinyproof.cli import console
from tinyproof.cli.progress import progress
from tinyproof.cli.wake_word import prove_wake_word
from tinyproof.core.errors import UsageError
from tinyproof.core.paths import BUILD, shown

FOLDER = BUILD / "example"


@click.command()
@click.argument("name", type=click.Choice(["gestures", "wake-word"]), default="gestures")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Where to. [default: build/example]",
)
@click.option("--board", help="Board to prove the wake word on. [default: qemu-cortex-m4]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: the files, and what was measured.")
@click.pass_context
def command(context: click.Context, name: str, folder: Path, board: str | None, as_json: bool) -> None:
    """Train a small network on generated data, to walk through with a model of one's own.

    gestures: a .keras that tells gestures of an accelerometer apart, calibration samples and labelled test samples.
    Prints the commands that quantize it, prove it on a board, and measure its accuracy there.

    wake-word: a streaming .tflite from sound to a word's probability, 20 ms at a time, and labelled test sounds.
    Proves it on a board, frame by frame, in two to three minutes; without the wheel `tflite-micro` it takes far longer.

    Exits as `run` does: 1 where the board's bits differ, 3 where the board cannot be proven, such as for its size.
    """
    if name == "wake-word":
        context.exit(prove_wake_word(folder, board, as_json=as_json))
    if board is not None:
        raise UsageError("--board is for the wake word; the commands that `example gestures` prints take one")
    _make_gestures(folder, as_json=as_json)


def _make_gestures(folder: Path, *, as_json: bool) -> None:
    from tinyproof.train.gestures import CLASSES, make_gestures

    with progress() as bar:
        task = bar.add_task("train    ")
        example = make_gestures(folder, lambda done, total: bar.update(task, completed=done, total=total))
    files = {name: shown(getattr(example, name).resolve()) for name in ("model", "calibration", "test")}
    if as_json:
        console.print_json({**files, "accuracy": example.accuracy, "classes": CLASSES})
        return
    click.echo(f"model    {files['model']}   {', '.join(CLASSES)}; float accuracy {example.accuracy:.1%}")
    console.print_next(
        f"./tinyproof run --model {files['model']} --calibration {files['calibration']}",
        f"./tinyproof check --model gestures --dataset {files['test']}",
    )
