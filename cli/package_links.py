# SPDX-License-Identifier: Apache-2.0
"""The checkout under its import name: a folder `tinyproof` of links, for tools that see no editable install (mypy)."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("core", "train", "export", "firmware", "host", "report", "cli")


def link_package(root: Path, package: Path) -> None:
    """Makes `package` stand for the checkout `root`: api/'s own files, and each of the other folders there is."""
    package.mkdir(parents=True, exist_ok=True)
    for entry in (*(root / "api").iterdir(), *(root / folder for folder in FOLDERS)):
        link = package / entry.name
        if entry.name != "__pycache__" and entry.exists() and not link.exists():
            link.unlink(missing_ok=True)  # one that leads nowhere
            link.symlink_to(entry)
