# SPDX-License-Identifier: Apache-2.0
"""A user's own project: a folder with settings, whose builds are its own, and perhaps a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.tflite_writer import dense_network


def start_project(folder: Path) -> None:
    """Settings and a model.tflite of three numbers in and two out."""
    (folder / "tinyproof.toml").touch()
    (folder / "model.tflite").write_bytes(dense_network(5, (3, 9, 2)))


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)
