# SPDX-License-Identifier: Apache-2.0
"""`tinyproof simulate`: a simulated board that any serial program can talk to."""

from __future__ import annotations

import dataclasses
import signal
from types import FrameType

import click

from tinyproof.builds import needs_build
from tinyproof.cli.model_option import dialect_option, hold, model_option, select_model
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.paths import CONFIG_FILE, build_dir


@click.command()
@click.option("--board", help="Simulated board to start. [default: qemu-cortex-m4]")
@model_option
@dialect_option
@click.option("--pty", is_flag=True, help="Offer a pseudo-terminal, /dev/pts/N, instead of a socket.")
def command(board: str | None, model: str | None, dialect: str, pty: bool) -> None:
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
    if dialect and chosen.kind == "host":
        raise UsageError(f"board {chosen.name} has no firmware, and speaks tinyproof's own protocol alone")
    if chosen.kind == "simulated" and needs_build(chosen, folder, dialect):
        from tinyproof.firmware.platformio_build import build

        click.echo(f"building {chosen.name} ...", err=True)
        with hold(config.model):
            build(chosen, folder, dialect=dialect)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        simulate(chosen, folder, pty=pty, announce=_announce, dialect=dialect)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _announce(port: str) -> None:
    click.echo(port)
    click.echo("Ctrl-C stops it", err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
