# SPDX-License-Identifier: Apache-2.0
"""Where things are: the project, its build folders, and the firmware's sources."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import UsageError
from tinyproof.core.install import PACKAGE, is_clone

CONFIG_NAME = "tinyproof.toml"


@dataclass(frozen=True)
class Project:
    """`config_file`: the settings, which need not be there. `build`: the folder of all builds."""

    config_file: Path
    build: Path


def find_project(package: Path, folder: Path) -> Project:
    """Whose settings and builds they are for a user who stands in `folder`.

    Settings are the nearest tinyproof.toml upwards, and then builds are in `folder`. Without one a clone works with
    its own, from anywhere; an install, in `folder`.
    """
    clone = package if is_clone(package) else None
    for above in (folder, *folder.parents):
        if above == clone:
            break
        if (above / CONFIG_NAME).is_file():
            return Project(above / CONFIG_NAME, folder / "build")
    home = clone or folder
    return Project(home / CONFIG_NAME, home / "build")


ROOT = PACKAGE  # of the clone, for what works on its sources
_PROJECT = find_project(PACKAGE, Path.cwd())
BUILD = _PROJECT.build
CONFIG_FILE = _PROJECT.config_file
FIRMWARE = PACKAGE / "firmware"
CURRENT_FILE = BUILD / "current"  # name of the model exported last: what a bare `pio run` builds


def build_dir(model: str) -> Path:
    """Folder of a model's artefacts, build/<model>. Raises UsageError for a name that would lead elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", model) or model == CURRENT_FILE.name:
        raise UsageError(f"model name {model!r} cannot be used; take up to 64 letters, digits, '_', '-' and '.'")
    return BUILD / model


def shown(path: Path) -> str:
    """`path` as the user can use it where they stand: relative below that folder, otherwise absolute."""
    absolute = path.absolute()
    try:
        here = Path.cwd()
    except OSError:  # it is gone
        return str(absolute)
    return os.path.relpath(absolute, here) if absolute.is_relative_to(here) else str(absolute)
