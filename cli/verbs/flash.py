# SPDX-License-Identifier: Apache-2.0
"""`tinyproof flash`: the firmware onto a real board."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinyproof.builds import lint_model
from tinyproof.cli import console
from tinyproof.cli.model_option import hold
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.paths import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from tinyproof.host.targets.flash import Flashed


@click.command()
@click.option("--board", required=True, help="Board to flash: nano33ble, esp32, ...; ./tinyproof boards lists them.")
@click.option("--port", help="Its serial port; without one, the only board of this kind that is plugged in.")
@click.option(
    "--drive",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder of the bootloader's drive (pico), where it is not found by itself.",
)
@click.option("--model", help="Model to flash, a folder in build/. [default: neuron]")
@click.option("--no-lint", is_flag=True, help="Flash even what the board's library is known to compute wrongly.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the line.")
def command(board: str, port: str | None, drive: Path | None, model: str | None, no_lint: bool, as_json: bool) -> None:
    """Build the exported model for a board, upload it, and hear from the board which model it runs.

    After an upload a board's port may disappear and come back under another name; it is found again by its USB serial
    number. A Pico's bootloader is a drive, to which the firmware is copied. PlatformIO fetches the board's compiler and
    core on first use.

    Exits 3 if the board is absent, stays in its bootloader, is silent or runs another model.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board, model=model or config.model)
    with hold(config.model):
        flashed = run_flash(config, port, lint=not no_lint, drive=drive)
    if as_json:
        document: dict[str, Any] = {"board": board, "port": flashed.port, **dataclasses.asdict(flashed.info)}
        console.print_json(document)
        return
    print_flash(config, flashed)
    console.print_next(f"./tinyproof check --board {board} --port {flashed.port}")


def print_flash(config: Config, flashed: Flashed) -> None:
    """Which board runs which model now."""
    click.echo(
        f"flash    {config.board} on {flashed.port} runs model {flashed.info.model}, engine {flashed.info.engine}"
    )


def run_flash(config: Config, port: str | None, *, lint: bool = True, drive: Path | None = None) -> Flashed:
    """Builds, uploads and confirms config.model on config.board."""
    from tinyproof.firmware.platformio_build import build
    from tinyproof.firmware.upload import upload_of
    from tinyproof.host.targets.flash import choose_port, flash
    from tinyproof.host.targets.loader import in_loader
    from tinyproof.host.transport.usb import list_plugged

    board, folder = find_board(config.board), build_dir(config.model)
    chosen = choose_port(board, port, list_plugged())
    if lint:
        lint_model(board, folder)
    built = build(board, folder)
    return flash(board, built.model_id, chosen, in_loader(board, upload_of(board, folder, drive=drive)), config.check)
