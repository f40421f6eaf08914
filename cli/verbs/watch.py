# SPDX-License-Identifier: Apache-2.0
"""`tinyproof watch`: a page on which one draws, moves or replays an input, and the boards answer live."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli.model_option import classes_option, model_option, select_model, values_option
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.paths import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from tinyproof.host.live.server import Replay


@click.command()
@click.option(
    "--board", "boards", multiple=True, help="Board to watch; several are set side by side. [default: qemu-cortex-m4]"
)
@click.option(
    "--port", "ports", multiple=True, help="Serial port of a real board, or a URL; several are for the first boards."
)
@model_option
@click.option(
    "--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Samples to replay: .npz, .npy, .csv, a folder."
)
@classes_option
@values_option
def command(
    boards: tuple[str, ...],
    ports: tuple[str, ...],
    model: str | None,
    dataset: Path | None,
    classes: str | None,
    values: tuple[float, float] | None,
) -> None:
    """Serve a page that asks the boards what you draw, move or replay, and shows what they answer, until Ctrl-C.

    Up to eight numbers are sliders, an image is drawn or dropped, a series over time is drawn, a sound comes from a
    .wav file, and samples of a data set are replayed; a model with state hears them frame by frame, from a reset or,
    with "keep the state", after those that it has heard. Every answer is held against the golden reference's, which
    steps in the same way, and a difference is flagged at once.

    Prints the page's address. Only this machine can reach it, and only with the token in the address. When a board is
    unplugged the page says so, and goes on when it is back. Simulated boards must have been built before.
    """
    from tinyproof.host.live.server import watch

    config = load_config(CONFIG_FILE)
    names = boards or (config.board,)
    if len(ports) > len(names):
        raise UsageError(f"--port is given {len(ports)} times for {len(names)} boards: name each with --board")
    config = select_model(dataclasses.replace(config, board=names[0]), model)
    found = list(itertools.zip_longest(map(find_board, names), ports))
    folder = build_dir(config.model)
    with contextlib.suppress(KeyboardInterrupt):
        watch(found, folder, config.check, _samples(folder, dataset, classes, values), _announce)


def _samples(folder: Path, dataset: Path | None, classes: str | None, values: tuple[float, float] | None) -> Replay:
    """What of them the options name; pixels and sounds mean what they meant when the model was quantized."""
    from tinyproof.checking import as_calibrated
    from tinyproof.core.data_set import DataForm, read_classes, read_dataset
    from tinyproof.core.manifest import read_manifest
    from tinyproof.host.live.server import Replay

    manifest = read_manifest(folder)
    form = as_calibrated(DataForm(() if classes is None else read_classes(classes), values), manifest)
    data = None
    if dataset is not None:
        data = read_dataset(dataset, manifest.inputs, sequences=manifest.stateful, form=form)
    return Replay(data, form.classes, form.values)


def _announce(url: str) -> None:
    click.echo(f"watch    {url}")
    click.echo("         open this address in a browser on this machine; Ctrl-C ends it", err=True)
