# SPDX-License-Identifier: Apache-2.0
"""`tinyproof build`: compile the firmware for a board."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold, model_option, select_model
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.paths import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from tinyproof.firmware.platformio_build import BuildResult


@click.command()
@click.option("--board", help="Board to build for; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@model_option
@click.option("--no-lint", is_flag=True, help="Build even what the board's library is known to compute wrongly.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with the sizes of each layer.")
def command(board: str | None, model: str | None, no_lint: bool, as_json: bool) -> None:
    """Compile the exported model and the firmware around it, and report its flash and RAM.

    Writes firmware.elf, the same as .bin, .hex and .uf2 (not of AVR), and build.json to build/<model>/boards/<board>/.
    The same input gives the same ELF.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    with hold(config.model):
        result = run_build(config, lint=not no_lint)
    if as_json:
        console.print_json(result.as_dict())
        return
    print_build(result)
    sizes = (f"{layer} {size.flash_bytes:,}/{size.ram_bytes:,}" for layer, size in result.layers.items())
    click.echo(f"         flash/RAM B: {', '.join(sizes)}; all {result.flash_bytes:,}/{result.ram_bytes:,}")
    click.echo(f"         RAM B: {result.ram.in_words()}; all {result.ram.total_bytes:,}")
    bound = (
        f"at most {result.stack_bound_bytes:,} B deep" if result.stack_bound_bytes is not None else "without a bound"
    )
    click.echo(f"         stack {bound}{f': {result.stack_bound_why}' if result.stack_bound_why else ''}")


def run_build(config: Config, *, lint: bool = True) -> BuildResult:
    """Build the configured model for the configured board, unless its library is known to compute it wrongly."""
    from tinyproof.firmware.platformio_build import build

    board, folder = find_board(config.board), build_dir(config.model)
    if lint:
        lint_model(board, folder)
    return build(board, folder)


def lint_model(board: Board, folder: Path) -> None:
    """Raises InputFileError where the interpreter library of `board` cannot run the model, or runs it wrongly."""
    if not board.build.library or not (folder / "model.tflite").is_file():
        return
    from tinyproof.core.tflite.reader import read_file, read_graph
    from tinyproof.export.library_lint import refuse_unfit

    refuse_unfit(read_graph(read_file(folder / "model.tflite")), board)


def print_build(result: BuildResult) -> None:
    """The line of `tinyproof run`."""
    cost = f"engine {result.engine_flash_bytes:,} B flash, {result.engine_ram_bytes:,} B RAM"
    click.echo(f"build    {result.board:<23} {cost}")
