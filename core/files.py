# SPDX-License-Identifier: Apache-2.0
"""Files that several commands may write, and read, at the same time."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tinyproof.core.errors import EnvironmentFaultError, InputFileError, UsageError
from tinyproof.core.paths import shown


def write_at_once(path: Path, content: str | bytes) -> None:
    """Makes `path` hold `content`. Nobody ever reads half of it, and who writes the same changes nothing. A link is
    replaced, never followed."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each writer: one shared name could be renamed away under the other.
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def keep_inside(folder: Path, build_dir: Path) -> Path:
    """`folder` of a build, which may not be there yet. Raises EnvironmentFaultError where a link leads out of the
    folder in which builds lie: nothing is written elsewhere."""
    if not folder.resolve().is_relative_to(build_dir.parent.resolve()):
        raise EnvironmentFaultError(
            f"{shown(folder)} leads to {folder.resolve()}, out of {shown(build_dir.parent)}: nothing is written there; "
            "remove the link"
        )
    return folder


def file_bytes(path: Path) -> int:
    """Size of a regular file, or of one that a link leads to. Raises InputFileError for a pipe, a device and a socket,
    which may never end, and OSError where there is nothing."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise InputFileError(f"{path}: {kind}; give a file with what it holds")
    return found.st_size


@contextlib.contextmanager
def replaced_whole(folder: Path, last: str, *, empty: bool = False) -> Iterator[Path]:
    """A copy of `folder` under its own name, to be changed; it replaces the files of `folder` when the block ends, and
    where that ends with an error or Ctrl-C, `folder` stays as it was.

    Only files take part: folders in `folder` stay. `last`: the file that is moved after all others, since it describes
    them. `empty`: the copy begins without a file. Raises UsageError for a folder with files and without `last`: it is
    somebody else's, whose files would be gone.
    """
    if folder.exists() and not (folder / last).is_file() and not _has_no_files(folder):
        raise UsageError(
            f"{shown(folder)} is there already, and is no build: it has no {last}; take another name, or remove it"
        )
    keep_inside(folder, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".partial") as scratch:
        copy = Path(scratch) / folder.name
        copy.mkdir()
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_file() and not empty:
                shutil.copy2(path, copy / path.name)
        yield copy
        with interrupts_wait():
            folder.mkdir(exist_ok=True)
            for path in folder.iterdir():
                if path.is_file() and not (copy / path.name).exists():
                    path.unlink()
            for path in sorted(copy.iterdir(), key=lambda path: path.name == last):
                path.replace(folder / path.name)


def _has_no_files(folder: Path) -> bool:
    return folder.is_dir() and not any(path.is_file() for path in folder.iterdir())


@contextlib.contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C comes into effect after the block, where this is the thread that hears of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if heard and callable(before):
            before(*heard[0])
