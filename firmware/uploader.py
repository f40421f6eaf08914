# SPDX-License-Identifier: Apache-2.0
"""Runs the program that writes a board's flash, and ends it where it would never end by itself.

bossac does not notice that its port has gone (1.9.1 reads on, for ever), so that is watched from here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tinyproof.core.board_spec import Board
from tinyproof.core.build_lock import take
from tinyproof.core.errors import BoardError, EnvironmentFaultError
from tinyproof.core.files import write_at_once
from tinyproof.core.parent_death import die_with_parent
from tinyproof.core.paths import shown
from tinyproof.firmware.upload_causes import GONE, STUCK, UNDER_WAY, cause_of, in_words

PORT = "TINYPROOF_PORT"  # in a command: where the board is
TIMEOUT_S = 300.0  # 1 MB at 115,200 baud takes 90 s
POLL_S = 0.05
GONE_S = 5.0  # longer than a board's own reset lets its port be away
_TAIL_BYTES = 64 << 10  # of what the program says


def run_uploader(board: Board, command: list[str], port: str, log: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Runs `command`, whose PORT is `port`; `log` keeps what it says when it fails.

    Raises BoardError in the words of upload_causes.py where it fails, does not end, the port goes and stays away, or
    another upload has it; EnvironmentFaultError where it cannot be started.
    """
    with _alone_at(board, port), tempfile.TemporaryFile() as said:
        is_file = os.name == "posix" and os.access(port, os.F_OK)  # no COM port, nor a URL
        try:
            process = subprocess.Popen(
                [word.replace(PORT, port) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # else it goes on while the next attempt begins
            )
        except OSError as error:
            raise EnvironmentFaultError(f"{board.serial.uploader} cannot be started: {error}") from None
        try:
            stopped = _watch(process, port if is_file else "", timeout_s)
        finally:
            process.kill()
            process.wait()
        if not stopped and process.returncode == 0:
            return
        said.seek(0)
        output = said.read()[-_TAIL_BYTES:].decode("utf-8", "replace").replace("\r", "\n")
    write_at_once(log, output)
    if stopped:
        raise BoardError(in_words(stopped, board, port))
    raise BoardError(cause_of(board, port, output) or _last_words(board, port, output, process.returncode, log))


@contextlib.contextmanager
def _alone_at(board: Board, port: str) -> Iterator[None]:
    """No other upload to `port`, whoever runs it on this machine: bossac takes a port that another bossac has. The
    kernel lets go of the lock of a process that dies."""
    place = port if "://" in port else os.path.realpath(port)
    name = f"tinyproof-upload-{hashlib.sha256(place.encode()).hexdigest()[:16]}.lock"
    with _open_lock(Path(tempfile.gettempdir(), name)) as file:
        if not take(file, shared=False, wait=False):
            raise BoardError(in_words(UNDER_WAY, board, port))
        yield


def _open_lock(path: Path) -> IO[bytes]:
    try:
        try:
            return path.open("ab")
        except PermissionError:  # another user's, who was here before
            return path.open("rb")
    except OSError as error:
        raise EnvironmentFaultError(f"{path} cannot be opened: {error.strerror}; remove it, and flash again") from None


def _watch(process: subprocess.Popen[bytes], device: str, timeout_s: float) -> str:
    """Until it ends, or the file `device` has gone; why it was not waited for, or "" where it was."""
    deadline, last_seen = time.monotonic() + timeout_s, time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if not device or os.access(device, os.F_OK):
            last_seen = now
        if now - last_seen > GONE_S:
            return GONE
        if now > deadline:
            return STUCK
        time.sleep(POLL_S)
    return ""


def _last_words(board: Board, port: str, output: str, status: int, log: Path) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    # Below its fault esptool says where more is to be read.
    fault = next((line for line in reversed(lines) if "error occurred: " in line), lines[-1] if lines else "")
    said = fault.rpartition("error occurred: ")[2][:200] or f"exit status {status}"
    return f"{board.name} on {port}: {board.serial.uploader} failed: {said} (all of it: {shown(log)})"
