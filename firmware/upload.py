# SPDX-License-Identifier: Apache-2.0
"""Puts a built firmware on a real board: by the uploader of its PlatformIO platform, or as a copy to a drive."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.firmware.images import as_uf2, read_parts
from tinyproof.firmware.platformio_build import PROFILE, objects_folder, run_platformio
from tinyproof.firmware.uf2_drive import copy_to_drive, mounted
from tinyproof.firmware.uploader import PORT, run_uploader

Upload = Callable[[str], object]  # takes the port where the board is when it begins


def upload_of(board: Board, build_dir: Path, *, profile: bool = False, drive: Path | None = None) -> Upload:
    """What uploads the normal firmware, or the profiling one, with all done that needs no board.

    `drive`: the folder of a bootloader's drive, where it is not found. Raises EnvironmentFaultError with PlatformIO's
    first error line, or where the uploader is missing. The upload itself raises BoardError.
    """
    variant = PROFILE if profile else ""
    objects = objects_folder(board, build_dir, variant)
    if board.serial.drive_id:
        run_platformio(board, build_dir.resolve(), objects, variant=variant)
        parts, _ = read_parts(objects / board.name / "firmware.elf")
        uf2 = as_uf2(parts, board.build.uf2_family)
        return lambda port: copy_to_drive(board, uf2, port, mounted if drive is None else lambda: [drive])
    if board.serial.uploader:
        command = upload_command(board, build_dir, objects, variant)
        return lambda port: run_uploader(board, command, port, objects.with_name("upload.log"))
    by_platformio = ("-t", "upload", "--upload-port")
    return lambda port: run_platformio(board, build_dir.resolve(), objects, *by_platformio, port, variant=variant)


def upload_command(board: Board, build_dir: Path, objects: Path, variant: str = "") -> list[str]:
    """The program and the arguments with which the board's platform uploads, PORT in the place of the port.

    Raises EnvironmentFaultError where there is no such program.
    """
    with tempfile.TemporaryDirectory(prefix="tinyproof-upload-") as scratch:
        noted = Path(scratch) / "command.json"
        options = ("-t", "upload", "--upload-port", PORT)
        run_platformio(board, build_dir.resolve(), objects, *options, variant=variant, note_upload=noted)
        try:
            command = [str(word) for word in json.loads(noted.read_text(encoding="utf-8"))]
        except (OSError, ValueError):
            raise EnvironmentFaultError(
                f"{board.name}: PlatformIO's platform names no command for an upload; is another upload_protocol "
                "set in platformio.ini?"
            ) from None
    missing = next((word for word in _programs(command) if not Path(word).is_file()), None)
    if missing is not None:
        raise EnvironmentFaultError(
            f"{board.serial.uploader} is missing ({missing}); PlatformIO fetches it with the board's platform: connect "
            "this machine to the internet and flash again"
        )
    return command


def _programs(command: list[str]) -> list[str]:
    """What has to be there: the program, and the script that a Python runs."""
    return [word for number, word in enumerate(command) if number == 0 or (number == 1 and word.endswith(".py"))]
