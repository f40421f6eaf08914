# SPDX-License-Identifier: Apache-2.0
"""Puts a built firmware on a real board, through PlatformIO's own upload of its platform."""

from __future__ import annotations

from pathlib import Path

from firmware.building import run_platformio
from pipeline.boards import Board


def upload(board: Board, build_dir: Path, port: str) -> None:
    """Raises EnvironmentFaultError with PlatformIO's first error line."""
    objects = build_dir.resolve() / "boards" / board.name / "pio"
    run_platformio(board, build_dir.resolve(), objects, "-t", "upload", "--upload-port", port)
