# SPDX-License-Identifier: Apache-2.0
"""Uploads by copying: a bootloader that shows itself as a drive takes a .uf2, and starts it when all of it is there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError
from tinyproof.core.serial_touch import touch

INFO = "INFO_UF2.TXT"
NAME = "firmware.uf2"
APPEARS_S = 10.0
POLL_S = 0.2

Drives = Callable[[], list[Path]]


def mounted(table: Path = Path("/proc/mounts"), volumes: Path = Path("/Volumes")) -> list[Path]:
    """Folders where something is mounted: Linux's table, which writes a blank as \\040, and macOS' folder."""
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines() if table.is_file() else []
    places = [
        re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[1]) for line in lines if " " in line
    ]
    return [*map(Path, places), *(sorted(volumes.iterdir()) if volumes.is_dir() else [])]


def find_drive(board: Board, drives: Drives = mounted) -> Path | None:
    """The mounted drive that says it is this board's bootloader."""
    for folder in drives():
        try:
            info = (folder / INFO).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if f"Board-ID: {board.serial.drive_id}" in (line.strip() for line in info.splitlines()):
            return folder
    return None


def copy_to_drive(board: Board, uf2: bytes, port: str, drives: Drives = mounted, appears_s: float = APPEARS_S) -> Path:
    """Copies `uf2` to the board's drive, which a touch of `port` brings up where it is not there; `port` may be "".

    Raises BoardError where no such drive appears, or it takes no file.
    """
    drive = find_drive(board, drives)
    if drive is None and port:
        touch(port)
        deadline = time.monotonic() + appears_s
        while drive is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
            drive = find_drive(board, drives)
    if drive is None:
        raise BoardError(
            f"no drive of {board.name} is mounted (its {INFO} says {board.serial.drive_id}); "
            f"{board.serial.bootloader_remedy}, mount the drive if your system does not, then flash again"
        )
    target = drive / NAME
    try:
        with target.open("wb") as file:
            file.write(uf2)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError:  # the board has all blocks, and is gone before the drive is: whether it has, it says itself
                return target
    except OSError as error:
        raise BoardError(
            f"{target} cannot be written ({error.strerror}); {board.serial.bootloader_remedy}, then flash again"
        ) from error
    return target
