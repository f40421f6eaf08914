# SPDX-License-Identifier: Apache-2.0
"""A folder that appears whole or not at all, and never in place of what somebody else put there."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import interrupts_wait
from tinyproof.export.libraries.kinds import BUILD, KINDS


def write_folder(folder: Path, files: Mapping[str, str], record: str) -> None:
    """Makes `folder` hold `files` and nothing else. An earlier one whose `record` lists what is in it is replaced.

    Raises UsageError for a folder that is not ours or was changed, EnvironmentFaultError where it cannot be written.
    """
    _check_free(folder, record)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that it can be renamed.
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as fault:
        raise EnvironmentFaultError(f"--to {folder}: cannot be written: {fault.strerror}") from None
    try:
        for path, text in files.items():
            target = new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        new.chmod(0o755)  # mkdtemp makes it for the owner alone
        _replace(folder, new)
    except OSError as fault:
        raise EnvironmentFaultError(f"--to {folder}: cannot be written: {fault.strerror}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _replace(folder: Path, new: Path) -> None:
    """An old folder is renamed away first, and back where that fails: nothing is renamed over a folder with files.
    Ctrl-C in between would leave neither."""
    old = new.with_name(f"{new.name}-old")
    with interrupts_wait():
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _check_free(folder: Path, record: str) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--to {folder} is no folder; name one that does not exist yet")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    document = _read(folder / record)
    if document is None:
        raise UsageError(f"--to {folder} exists, and is no library of tinyproof's; name another folder")
    listed, built = document["files"], _built(document)
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.is_dir() or place == record or (place not in listed and _is_among(place, built)):
            continue
        if listed.get(place) != hashlib.sha256(path.read_bytes()).hexdigest():
            what = "was changed since the export" if place in listed else "is none of the export's files"
            raise UsageError(f"--to {folder} would be replaced, and {place} {what}; move it elsewhere first")


def _built(document: dict[str, Any]) -> list[str]:
    """What the tools for the folder's kind leave in it, and may go with it."""
    kind = KINDS.get(str(document.get("kind")))
    names = {"name": document.get("name"), "version": document.get("version")}
    return [path.format_map(names) for path in (kind.built if kind else (BUILD,))]


def _is_among(place: str, paths: list[str]) -> bool:
    return any(place.startswith(path) if path.endswith("/") else place == path for path in paths)


def _read(record: Path) -> dict[str, Any] | None:
    """With the SHA-256 of what was written by its path, as "files"; None where the folder is not ours."""
    try:
        document: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        ours = "tinyproof" in document and isinstance(document["files"], dict)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return document if ours else None
