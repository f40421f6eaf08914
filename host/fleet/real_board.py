# SPDX-License-Identifier: Apache-2.0
"""A real board behind a place: its device file as rfc2217, and uploads by this machine's own `tinyproof flash`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError
from tinyproof.core.paths import CONFIG_NAME
from tinyproof.host.fleet.environment import data_folder
from tinyproof.host.fleet.place_ports import READ_BYTES, BehindPlace, BoardLine, Over
from tinyproof.host.transport.ports import close_port, open_port, policy_of

WRITE_S = 5.0
FLASH = (sys.executable, "-P", "-m", "tinyproof", "flash")
POLL_S = 0.05  # between two looks at whether an upload has ended
MODEL = "leased"  # name of the build that an upload is made from


class DeviceLine(BoardLine):
    """A device file that the client sets the speed and the control lines of, as rfc2217 says (the RFC; pyserial's
    PortManager is its server's side)."""

    def __init__(self, device: str, board: Board, client: socket.socket) -> None:
        from serial.rfc2217 import PortManager

        self._port: Any = open_port(device, policy_of(board), WRITE_S)
        self._manager = PortManager(_Lines(self._port), _TelnetWriter(client))

    def fileno(self) -> int:
        return int(self._port.fileno())

    def receive(self) -> bytes:
        from serial import SerialException

        try:
            return b"".join(self._manager.escape(self._port.read(READ_BYTES)))
        except (SerialException, OSError):  # unplugged
            return b""

    def send(self, content: bytes) -> None:
        from serial import SerialException

        with contextlib.suppress(SerialException):  # `receive` says that it has gone
            self._port.write(b"".join(self._manager.filter(content)))

    def close(self) -> None:
        close_port(self._port)


class _Lines:
    """The port as PortManager uses it. A pseudo-terminal has no control lines: then they are low, and stay."""

    def __init__(self, port: Any) -> None:
        object.__setattr__(self, "_port", port)

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._port, name)
        except OSError:
            if name in ("cts", "dsr", "ri", "cd"):
                return False
            raise

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            setattr(self._port, name, value)
        except OSError:
            if name not in ("dtr", "rts"):
                raise


class _TelnetWriter:
    """What PortManager answers to the client's settings through."""

    def __init__(self, client: socket.socket) -> None:
        self.write = client.sendall


class RealBoard(BehindPlace):
    """The board at `device`. It keeps its firmware from one lease to the next."""

    def __init__(self, board: Board, device: str, flash: Sequence[str] = FLASH) -> None:
        """`flash`: the command that uploads, to which the options of `tinyproof flash` are added."""
        self.board, self.device, self._flash = board, device, tuple(flash)
        # It stays: what of the board's core is compiled serves the next upload, too.
        self._folder = data_folder() / "uploads" / re.sub(r"\W+", "-", f"{board.name} {device}")
        self._line: DeviceLine | None = None

    def connect(self, client: socket.socket) -> BoardLine:
        self._line = DeviceLine(self.device, self.board, client)
        return self._line

    def flash(self, files: dict[str, bytes], over: Over) -> None:
        """`files`: those of a build folder, as `export` leaves them. An upload that is left off leaves the board
        without a firmware; the next one begins anew."""
        self.close()
        folder = self._folder / "build" / MODEL
        folder.mkdir(parents=True, exist_ok=True)
        (self._folder / CONFIG_NAME).touch()  # so that builds are where the command runs
        core = data_folder() / "platformio"
        core.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # compilers and cores, hundreds of megabytes, are fetched once
            (self._folder / "build" / ".platformio").symlink_to(core)
        for left in [path for path in folder.iterdir() if path.is_file()]:
            left.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        _run([*self._flash, "--board", self.board.name, "--port", self.device, "--model", MODEL], self._folder, over)

    def leave(self, line: BoardLine, *, ended: bool) -> None:
        self.close()

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _run(command: list[str], folder: Path, over: Over) -> None:
    """Runs `command` in `folder`; once the lease is `over` it ends, with all that it has started. Raises BoardError
    with its last line."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            process_group=0,
        )
        try:
            while process.poll() is None:
                if over(POLL_S):
                    raise BoardError("the lease ended before the upload did")
        finally:
            _end_group(process)
        said.seek(0)
        lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if process.returncode:
        words = lines[-1] if lines else f"exit status {process.returncode}"
        raise BoardError(words.removeprefix("Error: "))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """The command, PlatformIO and the uploader: none of them may talk to the board any more."""
    with contextlib.suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
