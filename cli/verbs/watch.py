# SPDX-License-Identifier: Apache-2.0
"""`tinyproof watch`: a page with a slider; the board answers live."""

from __future__ import annotations

import contextlib
import dataclasses

import click

from tinyproof.builds import select_model
from tinyproof.cli.model_option import model_option
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.paths import CONFIG_FILE, build_dir


@click.command()
@click.option("--board", help="Board to watch; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@click.option("--port", help="Serial port of a real board: a device file, socket:// or rfc2217:// URL.")
@model_option
def command(board: str | None, port: str | None, model: str | None) -> None:
    """Serve a page on which a slider sends x to the board and its answer moves on the line, until Ctrl-C.

    Prints the page's address. Only this machine can reach it, and only with the token in the address. When the board
    is unplugged the page says so, and goes on when it is back. Simulated boards must have been built before.
    """
    from tinyproof.host.live.server import watch

    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    with contextlib.suppress(KeyboardInterrupt):
        watch(find_board(config.board), build_dir(config.model), port, config.check, _announce)


def _announce(url: str) -> None:
    click.echo(f"watch    {url}")
    click.echo("         open this address in a browser on this machine; Ctrl-C ends it", err=True)
