# SPDX-License-Identifier: Apache-2.0
"""Simulated boards: an emulator runs the board's firmware.elf and offers its UART on a socket.

We open the listening socket and hand it over, so no port number is guessed, and the emulator waits for the first
client before it starts the board, so the boot banner is never lost.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.build_record import FIRMWARE_FILE, fault_of_firmware
from tinyproof.core.emulator_command import emulator_command, opens_port_itself
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import shown
from tinyproof.host.targets.child_process import BoardProcess, Child

LISTENS_S = 60.0  # a large emulator on a slow machine


def firmware_elf(board: Board, build_dir: Path, dialect: str = "") -> Path:
    """The board's firmware in this build, which speaks `dialect`. Raises UsageError when it has not been built, when
    the last build failed, and when it is not what that build made, or was made of another export of the same model."""
    folder = build_dir / "boards" / board.name / dialect
    elf = folder / FIRMWARE_FILE
    if fault := fault_of_firmware(folder, read_manifest(build_dir)):
        raise UsageError(f"{shown(elf)} {fault}; run ./tinyproof build --board {board.name}")
    return elf


def listening_socket() -> socket.socket:
    """A socket on 127.0.0.1 that listens on a port of the kernel's choice."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


class Emulator(BoardProcess):
    """A running simulated board; `port` is its pyserial URL."""

    def __init__(self, board: Board, elf: Path, options: Sequence[str] = ()) -> None:
        """`options`: further words of the emulator's command. Raises EnvironmentFaultError when it is not installed."""
        self.board = board
        with listening_socket() as listener:
            # Only the emulator holds the socket from here on: should it die, connecting fails instead of waiting.
            command = [*emulator_command(board, elf, listener.fileno()), *options]
            number = listener.getsockname()[1]
            self.port = f"socket://127.0.0.1:{number}"
            own_port = opens_port_itself(board)
            descriptors = () if own_port else (listener.fileno(),)
            if own_port:
                listener.close()
            try:
                self.child = Child(command, pass_fds=descriptors)
            except OSError as error:
                raise EnvironmentFaultError(f"{command[0]} cannot be started: {error}") from error
        if own_port:
            self._await_listening(number)

    def _await_listening(self, number: int) -> None:
        """Returns once the emulator listens. Looks without connecting: it may take one client and no more."""
        deadline = time.monotonic() + LISTENS_S
        while time.monotonic() < deadline and not _listens(number):
            if (fault := self.fault()) is not None:
                self.child.stop()
                raise fault
        if not _listens(number):
            self.child.stop()
            raise EnvironmentFaultError(f"the emulator of board {self.board.name} offers no port in {LISTENS_S:.0f} s")

    def obituary(self, how: str) -> str:
        """What the user is told when the emulator has stopped: where the command stands that started it."""
        name = self.board.name
        return f"the emulator of board {name} stopped, {how} (command in firmware/boards/{name}.toml)"


def _listens(number: int) -> bool:
    """Whether any process listens on this TCP port, from /proc/net/tcp and tcp6 (state 0A)."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text(encoding="ascii").splitlines()[1:] if table.is_file() else []
        for fields in (line.split() for line in lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == number:
                return True
    return False
