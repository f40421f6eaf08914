# SPDX-License-Identifier: Apache-2.0
"""Where things are: the project, its build folders, and the firmware's sources."""

from __future__ import annotations

import re
from pathlib import Path

from tinyproof.core.errors import UsageError

PACKAGE = Path(__file__).resolve().parent.parent


def project_root(package: Path, folder: Path) -> Path:
    """Whose settings and build/ they are: the clone's when `package` is one, for any other install `folder`'s."""
    is_clone = (package / "pyproject.toml").is_file() and (package / "tinyproof").is_file()
    return package if is_clone else folder


ROOT = project_root(PACKAGE, Path.cwd())
BUILD = ROOT / "build"
CONFIG_FILE = ROOT / "tinyproof.toml"
FIRMWARE = PACKAGE / "firmware"
CURRENT_FILE = BUILD / "current"  # name of the model exported last: what a bare `pio run` builds


def build_dir(model: str) -> Path:
    """Folder of a model's artefacts, build/<model>. Raises UsageError for a name that would lead elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", model) or model == CURRENT_FILE.name:
        raise UsageError(f"model name {model!r} cannot be used; take up to 64 letters, digits, '_', '-' and '.'")
    return BUILD / model
