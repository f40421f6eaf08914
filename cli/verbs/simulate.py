# SPDX-License-Identifier: Apache-2.0
"""`tinyproof simulate`: a simulated board that any serial program can talk to."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path
from types import FrameType

import click

from tinyproof.cli.model_option import hold, model_option, select_model
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.build_record import read_build_record
from tinyproof.core.config import load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import CONFIG_FILE, build_dir


@click.command()
@click.option("--board", help="Simulated board to start. [default: qemu-cortex-m4]")
@model_option
@click.option("--pty", is_flag=True, help="Offer a pseudo-terminal, /dev/pts/N, instead of a socket.")
def command(board: str | None, model: str | None, pty: bool) -> None:
    """Start a simulated board and keep it until Ctrl-C or SIGTERM.

    Builds its firmware first where needed. The first line on stdout is the port: socket://127.0.0.1:N, or
    /dev/pts/N with --pty. Clients may come and go, one at a time:

    \b
    ./tinyproof check --port socket://127.0.0.1:N
    python -m serial.tools.miniterm socket://127.0.0.1:N
    """
    from tinyproof.host.targets.serve import simulate

    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    chosen = find_board(config.board)
    folder = build_dir(config.model)
    if chosen.kind == "serial":
        raise UsageError(f"board {chosen.name} is real hardware; there is nothing to simulate")
    if chosen.kind == "simulated" and needs_build(chosen, folder):
        from tinyproof.firmware.platformio_build import build

        click.echo(f"building {chosen.name} ...", err=True)
        with hold(config.model):
            build(chosen, folder)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        simulate(chosen, folder, pty=pty, announce=_announce)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def needs_build(board: Board, folder: Path) -> bool:
    """Whether the board's firmware is missing, or carries another model than the build has now."""
    manifest = read_manifest(folder)
    built = folder / "boards" / board.name
    try:
        record = read_build_record(built)
    except UsageError:  # damaged
        return True
    return record is None or record.model_id != manifest.model_id or not (built / "firmware.elf").is_file()


def _announce(port: str) -> None:
    click.echo(port)
    click.echo("Ctrl-C stops it", err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
