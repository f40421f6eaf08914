# SPDX-License-Identifier: Apache-2.0
"""How this tinyproof came to the machine, a clone or an installed wheel, and by which word it is called there."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
IN_CLONE = "./tinyproof"  # how messages spell the command; `spelled` says it as the user has to type it


def is_clone(package: Path) -> bool:
    """Whether the package lies as the repository has it, with its launcher."""
    return (package / "pyproject.toml").is_file() and (package / "tinyproof").is_file()


def command_of(package: Path, folder: Path) -> str:
    """What to type in `folder`: an installed tinyproof is on the PATH, a clone's launcher is a file."""
    if not is_clone(package):
        return "tinyproof"
    if folder == package:
        return IN_CLONE
    launcher = package / "tinyproof"
    return shlex.quote(os.path.relpath(launcher, folder) if folder.is_relative_to(package) else str(launcher))


def _command() -> str:
    try:
        return command_of(PACKAGE, Path.cwd())
    except OSError:  # the folder in which we stand is gone
        return IN_CLONE


def spelled(text: str) -> str:
    """`text` with the command as it is typed where the user stands, in place of ./tinyproof."""
    return text.replace(IN_CLONE, _command()) if IN_CLONE in text else text
