# SPDX-License-Identifier: Apache-2.0
"""The checkout under its import name: a folder `tinyproof` of links, for tools that see no editable install (mypy)."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("core", "train", "export", "firmware", "host", "prove", "faults", "report", "cli")


def link_package(root: Path, package: Path) -> None:
    """Makes `package` stand for the checkout `root`: api/'s own files, and each of the other folders there is.

    A link of a checkout that was elsewhere, or to a file that is gone, makes room for one that is right.
    """
    package.mkdir(parents=True, exist_ok=True)
    entries = (*(root / "api").glob("*.py"), *(root / folder for folder in FOLDERS))
    wanted = {package / entry.name: entry for entry in entries if entry.exists()}
    for link in package.iterdir():
        if link.is_symlink() and wanted.get(link) != link.readlink():
            link.unlink()
    for link, entry in wanted.items():
        if not link.is_symlink():
            link.symlink_to(entry)
