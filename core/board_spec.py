# SPDX-License-Identifier: Apache-2.0
"""Boards are data: one TOML file each in firmware/boards/, read by the build, the host and the command line."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tinyproof.core.errors import UsageError
from tinyproof.core.paths import FIRMWARE

BOARDS = FIRMWARE / "boards"


@dataclass(frozen=True)
class Board:
    """`kind`: "simulated" (an emulator that we start), "serial" (real hardware) or "host" (the reference device).

    `environment` is the PlatformIO environment. `tick_unit` is what its `t=` counts: "insn", "cycle" or "us".
    `build`, `memory`, `emulator` and `serial` keep the file's tables for the stage that they concern.
    """

    name: str
    description: str
    kind: str
    isa: str
    tick_unit: str
    environment: str = ""
    engine: str = "compiled"
    hidden: bool = False  # left out of lists: it needs something that tinyproof cannot install
    build: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    emulator: dict[str, Any] = field(default_factory=dict)
    serial: dict[str, Any] = field(default_factory=dict)


def read_board(path: Path) -> Board:
    """A board from its TOML file; the file's stem is its name."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Board(**{"name": path.stem, "environment": path.stem, **table})


@cache
def all_boards() -> dict[str, Board]:
    """Every board by name, the default one first in no particular order otherwise than the alphabet's."""
    return {path.stem: read_board(path) for path in sorted(BOARDS.glob("*.toml"))}


def find_board(name: str) -> Board:
    """Raises UsageError naming the closest board there is."""
    boards = all_boards()
    if name in boards:
        return boards[name]
    close = difflib.get_close_matches(name, boards, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"boards: {', '.join(boards)}"
    raise UsageError(f"unknown board {name!r}; {hint} (./tinyproof boards lists them)")
