# SPDX-License-Identifier: Apache-2.0
"""Where things are: the project's root and the build folders."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CONFIG_FILE = ROOT / "tinyproof.toml"
FIRMWARE = ROOT / "firmware"
CURRENT_FILE = BUILD / "current"  # name of the model exported last: what a bare `pio run` builds


def build_dir(model: str) -> Path:
    """Folder of a model's artefacts, build/<model>."""
    return BUILD / model
