# SPDX-License-Identifier: Apache-2.0
"""Puts a built firmware on a real board, through PlatformIO's own upload of its platform."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.firmware.platformio_build import PROFILE, objects_folder, run_platformio


def upload(board: Board, build_dir: Path, port: str, *, profile: bool = False) -> None:
    """The normal firmware, or the profiling one. Raises EnvironmentFaultError with PlatformIO's first error line."""
    variant = PROFILE if profile else ""
    objects = objects_folder(board, build_dir, variant)
    run_platformio(board, build_dir.resolve(), objects, *("-t", "upload", "--upload-port", port), variant=variant)
