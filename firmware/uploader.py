# SPDX-License-Identifier: Apache-2.0
"""Runs the program that writes a board's flash, and ends it where it would never end by itself.

bossac does not notice that its port has gone (1.9.1 reads on, for ever), so that is watched from here.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError, EnvironmentFaultError
from tinyproof.core.files import write_at_once
from tinyproof.core.paths import shown
from tinyproof.firmware.upload_causes import GONE, STUCK, cause_of, in_words

PORT = "TINYPROOF_PORT"  # in a command: where the board is
TIMEOUT_S = 300.0  # 1 MB at 115,200 baud takes 90 s
POLL_S = 0.05
GONE_S = 5.0  # longer than a board's own reset lets its port be away
_TAIL_BYTES = 64 << 10  # of what the program says


def run_uploader(board: Board, command: list[str], port: str, log: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Runs `command`, whose PORT is `port`; `log` keeps what it says when it fails.

    Raises BoardError in the words of upload_causes.py where it fails, does not end, or the port goes and stays away;
    EnvironmentFaultError where it cannot be started.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [word.replace(PORT, port) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise EnvironmentFaultError(f"{board.serial.uploader} cannot be started: {error}") from None
        try:
            stopped = _watch(process, port, timeout_s)
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


def _watch(process: subprocess.Popen[bytes], port: str, timeout_s: float) -> str:
    """Until it ends; why it was not waited for, or "" where it was."""
    deadline, last_seen = time.monotonic() + timeout_s, time.monotonic()
    is_file = Path(port).is_absolute() and os.access(port, os.F_OK)  # no COM port, nor a URL
    while process.poll() is None:
        now = time.monotonic()
        if not is_file or os.access(port, os.F_OK):
            last_seen = now
        if now - last_seen > GONE_S:
            return GONE
        if now > deadline:
            return STUCK
        time.sleep(POLL_S)
    return ""


def _last_words(board: Board, port: str, output: str, status: int, log: Path) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = lines[-1][:200] if lines else f"exit status {status}"
    return f"{board.name} on {port}: {board.serial.uploader} failed: {said} (all of it: {shown(log)})"
