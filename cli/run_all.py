# SPDX-License-Identifier: Apache-2.0
"""`tinyproof run --board all`: every simulated board side by side, two at a time, and one table in the end.

Not a verb of its own: the part of `run` that comes after the export.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from tinyproof.cli.progress import progress
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.core.board_spec import Board
from tinyproof.core.config import Config
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.paths import build_dir
from tinyproof.matrix import MatrixRow, prove, simulated_boards

ALL = "all"
FILE = "matrix.json"


def run_matrix(config: Config, boards: list[Board] | None = None) -> list[MatrixRow]:
    """Build and check `boards` (all simulated ones), showing progress on a terminal; writes build/<model>/matrix.json.

    A board that fails is a row, too. After KeyboardInterrupt no emulator is left: every check ends its own.
    """
    boards = simulated_boards() if boards is None else boards
    folder = build_dir(config.model)
    with progress() as bar:
        tasks = {board.name: bar.add_task(f"{board.name:<16}", note="waits") for board in boards}

        def notify(name: str, note: str, done: float, total: int) -> None:
            bar.update(tasks[name], note=note, completed=done, total=total or None)

        rows = prove(boards, folder, config, notify)
    write_matrix(config, rows)
    return rows


def write_matrix(config: Config, rows: Sequence[MatrixRow]) -> None:
    """build/<model>/matrix.json."""
    document = json.dumps({"model": config.model, "boards": [asdict(row) for row in rows]}, indent=1)
    folder = build_dir(config.model)
    write_at_once(keep_inside(folder, folder) / FILE, document + "\n")


def print_matrix(rows: Sequence[MatrixRow]) -> None:
    """The table, at most 80 columns wide, then what failed."""
    lines = [("board", "isa", "flash B", "RAM B", "inference", "bits", "answers"), *map(_cells, rows)]
    click.echo(f"{'matrix':<{LABEL}}engine and model of {len(rows)} boards; an inference takes at most")
    click.echo("\n".join(aligned(lines, right=(2, 3, 4))))
    print_faults(rows)


def print_faults(rows: Sequence[MatrixRow]) -> None:
    """What failed, in a line each that names it."""
    for row in rows:
        if row.error:
            click.echo(row.error if row.name in row.error else f"{row.name}: {row.error}")


def conclude_matrix(rows: Sequence[MatrixRow]) -> None:
    """The verdict."""
    conclude(rows, f", {len({row.isa for row in rows if row.proven})} instruction sets")


def conclude(rows: Sequence[MatrixRow], more: str = "") -> None:
    """How many boards are proven, and `more` of them, in one line."""
    proven = [row for row in rows if row.proven]
    reference = next((row.reference for row in proven), "TFLite Micro")
    label = "proof" if len(proven) == len(rows) else "NOT ALL"
    answers = ", answers right" if any(row.answers_within_tolerance is not None for row in proven) else ""
    click.echo(f"{label:<{LABEL}}{len(proven)} of {len(rows)} boards{more}: bit-identical to {reference}{answers}")


def check_cells(row: MatrixRow) -> tuple[str, str, str]:
    """What the check has found: an inference, bits, and answers."""
    if row.bits_checked == 0:
        return ("-", "not checked", "-")
    same = f"{row.bits_checked - row.bits_different}/{row.bits_checked}"
    answers = {None: "-", True: "within", False: "NOT within"}[row.answers_within_tolerance]
    return (f"{row.ticks_max:,} {row.tick_unit}", same, answers)


def _cells(row: MatrixRow) -> tuple[str, ...]:
    sizes = ["-" if size is None else f"{size:,}" for size in (row.engine_flash_bytes, row.engine_ram_bytes)]
    return (row.board, row.isa, *sizes, *check_cells(row))
