# SPDX-License-Identifier: Apache-2.0
"""`tinyproof build`: compile the firmware for a board."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from pipeline import console
from pipeline.boards import find_board
from pipeline.config import Config, load_config
from pipeline.project import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from firmware.building import BuildResult


@click.command()
@click.option("--board", help="Board to build for; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@click.option("--model", help="Model to build, a folder in build/. [default: neuron]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with the sizes of each layer.")
def command(board: str | None, model: str | None, as_json: bool) -> None:
    """Compile the exported model and the firmware around it, and report its flash and RAM.

    Writes firmware.elf and build.json to build/<model>/boards/<board>/. The same input gives the same ELF.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board, model=model or config.model)
    result = run_build(config)
    if as_json:
        console.print_json(result.as_dict())
        return
    print_build(result)
    sizes = (f"{layer} {size.flash_bytes:,}/{size.ram_bytes:,}" for layer, size in result.layers.items())
    click.echo(f"         flash/RAM B: {', '.join(sizes)}; all {result.flash_bytes:,}/{result.ram_bytes:,}")


def run_build(config: Config) -> BuildResult:
    """Build the configured model for the configured board."""
    from firmware.building import build

    return build(find_board(config.board), build_dir(config.model))


def print_build(result: BuildResult) -> None:
    """The line of `tinyproof run`."""
    cost = f"engine {result.engine_flash_bytes:,} B flash, {result.engine_ram_bytes:,} B RAM"
    click.echo(f"build    {result.board:<23} {cost}")
