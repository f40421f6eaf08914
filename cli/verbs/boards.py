# SPDX-License-Identifier: Apache-2.0
"""`tinyproof boards`: what can be built for and checked."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.cli.tables import WIDTH
from tinyproof.core.board_spec import all_boards
from tinyproof.core.config import load_config
from tinyproof.core.install import spelled
from tinyproof.core.paths import CONFIG_FILE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(as_json: bool) -> None:
    """List the boards: simulated ones, real ones, and the reference device.

    A board is one file in firmware/boards/. The one marked * is used where no --board is given; it is set by
    `board` in tinyproof.toml.
    """
    default = load_config(CONFIG_FILE).board
    rows = [describe(name, default) for name, board in all_boards().items() if not board.hidden]
    plugged = plugged_in()
    if as_json:
        console.print_json({"boards": rows, "plugged": plugged})
        return
    titles = ("board", "kind", "isa", "description")
    table = [titles, *(tuple(str(row[title]) for title in titles) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(titles) - 1)]
    for index, line in enumerate(table):
        mark = "*" if index and rows[index - 1]["default"] else " "
        cells = [cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=True)]
        start = f"{mark} " + "  ".join([*cells, ""])
        description = textwrap.wrap(line[-1], WIDTH - len(start))
        click.echo(start + f"\n{'':<{len(start)}}".join(description))
    for port in plugged:
        click.echo(describe_port(port))
    if not plugged:
        click.echo(spelled("plugged in: no USB serial port (./tinyproof doctor says what may be wrong)"))


def plugged_in() -> list[dict[str, Any]]:
    """USB serial ports, and the boards that each may be."""
    from tinyproof.host.transport.usb import list_plugged

    return [{**dataclasses.asdict(port), "likely": list(port.likely)} for port in list_plugged()]


def describe_port(port: dict[str, Any]) -> str:
    """One port as a line."""
    serial_number = f", serial number {port['serial_number']}" if port["serial_number"] else ""
    likely = " or ".join(port["likely"]) or "no board that tinyproof knows"
    boot = ", in its bootloader" if port["bootloader"] else ""
    return f"plugged in: {port['port']}  {port['usb_id']}{serial_number}: {likely}{boot}"


def describe(name: str, default: str) -> dict[str, Any]:
    """A board as a row of the list."""
    board = all_boards()[name]
    return {
        "board": board.name,
        "kind": board.kind,
        "isa": board.isa,
        "engine": board.engine,
        "tick_unit": board.tick_unit,
        "description": board.description,
        "default": name == default,
    }
