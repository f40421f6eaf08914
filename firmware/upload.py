# SPDX-License-Identifier: Apache-2.0
"""Puts a built firmware on a real board: through PlatformIO's own upload of its platform, or as a copy to a drive."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.firmware.images import as_uf2, read_parts
from tinyproof.firmware.platformio_build import PROFILE, objects_folder, run_platformio
from tinyproof.firmware.uf2_drive import copy_to_drive, mounted


def upload(board: Board, build_dir: Path, port: str, *, profile: bool = False, drive: Path | None = None) -> None:
    """The normal firmware, or the profiling one. `drive`: the folder of a bootloader's drive, where it is not found.

    Raises EnvironmentFaultError with PlatformIO's first error line, BoardError where the board's drive is not there.
    """
    variant = PROFILE if profile else ""
    objects = objects_folder(board, build_dir, variant)
    if not board.serial.drive_id:
        run_platformio(board, build_dir.resolve(), objects, *("-t", "upload", "--upload-port", port), variant=variant)
        return
    run_platformio(board, build_dir.resolve(), objects, variant=variant)
    parts, _ = read_parts(objects / board.name / "firmware.elf")
    copy_to_drive(board, as_uf2(parts, board.build.uf2_family), port, mounted if drive is None else lambda: [drive])
