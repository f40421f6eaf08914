# SPDX-License-Identifier: Apache-2.0
"""`tinyproof build`: compile the firmware for a board."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from tinyproof.builds import run_build
from tinyproof.cli import console
from tinyproof.cli.model_option import dialect_option, hold, model_option, select_model
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.paths import CONFIG_FILE

if TYPE_CHECKING:
    from tinyproof.firmware.platformio_build import BuildResult


@click.command()
@click.option("--board", help="Board to build for; ./tinyproof boards lists them. [default: qemu-cortex-m4]")
@model_option
@dialect_option
@click.option("--no-lint", is_flag=True, help="Build even what the board's library is known to compute wrongly.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with the sizes of each layer.")
def command(board: str | None, model: str | None, dialect: str, no_lint: bool, as_json: bool) -> None:
    """Compile the exported model and the firmware around it, and report its flash and RAM.

    Writes firmware.elf, the same as .bin, .hex and .uf2 (not of AVR), and build.json to build/<model>/boards/<board>/.
    The same input gives the same ELF.

    --dialect mlperf makes a firmware for MLPerf Tiny's runner instead, in the folder mlperf/ beside them; `check`
    cannot talk to it, `simulate --dialect mlperf --pty` starts it for the runner.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    with hold(config.model):
        result = run_build(config, lint=not no_lint, dialect=dialect)
    if as_json:
        console.print_json(result.as_dict())
        return
    print_build(result)
    sizes = (f"{layer} {size.flash_bytes:,}/{size.ram_bytes:,}" for layer, size in result.layers.items())
    console.say("", f"flash/RAM B: {', '.join(sizes)}; all {result.flash_bytes:,}/{result.ram_bytes:,}")
    console.say("", f"RAM B: {result.ram.in_words()}; all {result.ram.total_bytes:,}")
    bound = (
        f"at most {result.stack_bound_bytes:,} B deep" if result.stack_bound_bytes is not None else "without a bound"
    )
    console.say("", f"stack {bound}{f': {result.stack_bound_why}' if result.stack_bound_why else ''}")
    if not dialect:
        verb = "flash" if find_board(config.board).kind == "serial" else "check"
        console.print_next(f"./tinyproof {verb} --model {config.model} --board {config.board}")


def print_build(result: BuildResult) -> None:
    """The line of `tinyproof run`."""
    cost = f"engine {result.engine_flash_bytes:,} B flash, {result.engine_ram_bytes:,} B RAM"
    click.echo(f"build    {result.board:<23} {cost}")
