# SPDX-License-Identifier: Apache-2.0
"""Where a board answers: at the port that is named, or at that of a board that is started to be asked."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import UsageError
from tinyproof.host.targets.emulator import Emulator, firmware_elf
from tinyproof.host.targets.reference_board import ReferenceBoard


@contextlib.contextmanager
def board_port(board: Board, build_dir: Path, port: str | None) -> Iterator[str]:
    """The pyserial URL of the board, which is started where it is not a thing of its own."""
    if port is not None:
        yield port
    elif board.kind == "simulated":
        with Emulator(board, firmware_elf(board, build_dir)) as emulator:
            yield emulator.port
    elif board.kind == "host":
        with ReferenceBoard(build_dir) as reference:
            yield reference.port
    else:
        example = "COM3" if sys.platform == "win32" else "/dev/ttyACM0"
        raise UsageError(f"board {board.name} is real hardware; say where it is: --port {example}, for example")
