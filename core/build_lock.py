# SPDX-License-Identifier: Apache-2.0
"""One run at a time on one build: a second waits until the first has ended, instead of finding files changed under it.

Locks, and where a brought model came from, are in .tinyproof/ beside the builds: they are this machine's, not part of
what a build is.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.paths import shown

FOLDER = ".tinyproof"
POLL_S = 0.1

_held: defaultdict[Path, int] = defaultdict(int)  # by this process, whichever of its threads
_counting = threading.Lock()


def record_of(build_dir: Path, suffix: str) -> Path:
    """The file of this machine's own about a build, such as its lock."""
    return build_dir.parent / FOLDER / f"{build_dir.name}{suffix}"


@contextlib.contextmanager
def locked(build_dir: Path, *, shared: bool = False, waits: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Keeps other processes out of `build_dir`; they wait, and call `waits` before they do.

    `shared`: next to others that only read. A process that holds a build may lock it again. The kernel lets go of the
    lock of a process that dies. Raises EnvironmentFaultError where the folder cannot be written.
    """
    path = record_of(build_dir, ".lock").absolute()
    with _counting:
        mine = _held[path] > 0
        _held[path] += mine
    if mine:
        try:
            yield
        finally:
            with _counting:
                _held[path] -= 1
        return
    with _open(path) as file:
        if not take(file, shared=shared, wait=False):
            waits()
            take(file, shared=shared, wait=True)
        with _counting:
            _held[path] += 1
        try:
            yield
        finally:
            with _counting:
                _held[path] -= 1


def _open(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise EnvironmentFaultError(
            f"{shown(path.parent.parent)} cannot be written: {error.strerror}; builds are made there"
        ) from None


if sys.platform == "win32":
    import msvcrt

    def take(file: IO[bytes], *, shared: bool, wait: bool) -> bool:
        """Whether `file` is locked now. Windows knows no shared lock here: readers wait for each other, too."""
        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                time.sleep(POLL_S)
            else:
                return True

else:
    import fcntl

    def take(file: IO[bytes], *, shared: bool, wait: bool) -> bool:
        """Whether `file` is locked now, until it is closed; with `wait`, when others have let go of it."""
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
