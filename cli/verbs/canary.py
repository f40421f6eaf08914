# SPDX-License-Identifier: Apache-2.0
"""`tinyproof canary`: a model made to break, and what its answers give away."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import MismatchError
from tinyproof.core.paths import CONFIG_FILE, build_dir


@click.command()
@click.option("--board", help="Board to try; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@click.option("--port", help="Serial port of a real board. It is flashed with the canary; flash your model afterwards.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the lines.")
def command(board: str | None, port: str | None, as_json: bool) -> None:
    """Put a small multi-channel model on a board and name the part of its arithmetic that is broken.

    Tells apart: one scale used for all channels, other roundings, a bias or zero point left out, and channels
    lost beyond a multiple of 8. The lint is off for it: finding out is the point.

    Exits 0 if the board computes the canary rightly, 1 if not.
    """
    config = load_config(CONFIG_FILE)
    found = run_canary(board or config.board, port)
    if as_json:
        console.print_json(found)
    elif not found["diagnosis"]:
        click.echo(f"canary   {found['board']}: {found['bits_checked']} of {found['bits_checked']} answers right")
    if found["diagnosis"]:
        raise MismatchError(
            f"{found['board']}: {found['bits_different']} of {found['bits_checked']} answers wrong;"
            f" broken: {found['diagnosis']}"
        )


def run_canary(board_name: str, port: str | None) -> dict[str, Any]:
    """Builds the canary for the board (and flashes a real one), asks it everything, and diagnoses the answers."""
    from tinyproof.builds import run_build
    from tinyproof.cli.ask_board import run_check
    from tinyproof.cli.verbs.flash import run_flash
    from tinyproof.core.tflite.reader import read_file, read_graph
    from tinyproof.export.canary_model import MODEL, diagnose, make_canary
    from tinyproof.export.export import export_model

    config = dataclasses.replace(load_config(CONFIG_FILE), model=MODEL, board=board_name)
    board, folder = find_board(board_name), build_dir(MODEL)
    with hold(MODEL, makes=True):
        make_canary(folder)
        export_model(dataclasses.replace(config.export, low=-10.0, high=10.0), config.check, folder)
        if board.kind == "serial":
            port = run_flash(config, port, lint=False).port
        elif board.kind == "simulated":
            run_build(config, lint=False)
        report = run_check(config, port)
    wrong = {divergence.index: divergence.board_q for divergence in report.bits.divergences}
    return {
        "board": board.name,
        "engine": report.engine,
        "bits_checked": report.bits.checked,
        "bits_different": report.bits.different,
        "diagnosis": diagnose(read_graph(read_file(folder / "model.tflite")), wrong),
    }
