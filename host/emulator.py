# SPDX-License-Identifier: Apache-2.0
"""Simulated boards: an emulator runs the board's firmware.elf and offers its UART on a socket.

We open the listening socket and hand it over, so no port number is guessed, and the emulator waits for the first
client before it starts the board, so the boot banner is never lost.
"""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType

from host.processes import Child
from pipeline.boards import Board
from pipeline.emulators import emulator_command
from pipeline.errors import BoardError, EnvironmentFaultError, UsageError


def firmware_elf(board: Board, build_dir: Path) -> Path:
    """The board's firmware in this build. Raises UsageError when it has not been built."""
    elf = build_dir / "boards" / board.name / "firmware.elf"
    if not elf.is_file():
        name = f"build/{build_dir.name}/boards/{board.name}/firmware.elf"
        raise UsageError(f"{name} is missing; run ./tinyproof build --board {board.name} first")
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


class Emulator:
    """A running simulated board; `port` is its pyserial URL. A context manager that always reaps the emulator."""

    def __init__(self, board: Board, elf: Path) -> None:
        """Raises EnvironmentFaultError when the emulator is not installed."""
        self.board = board
        with listening_socket() as listener:
            # Only the emulator holds the socket from here on: should it die, connecting fails instead of waiting.
            command = emulator_command(board, elf, listener.fileno())
            self.port = f"socket://127.0.0.1:{listener.getsockname()[1]}"
            try:
                self.child = Child(command, pass_fds=(listener.fileno(),))
            except OSError as error:
                raise EnvironmentFaultError(f"{command[0]} cannot be started: {error}") from error

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, BoardError) and (fault := self.fault()) is not None:
                raise fault from error
        finally:
            self.child.stop()

    def fault(self) -> EnvironmentFaultError | None:
        """What the emulator died of, or None while it runs."""
        if not self.child.ended_within(0.2):  # its socket closes a moment before it can be reaped
            return None
        return EnvironmentFaultError(
            f"the emulator of board {self.board.name} stopped, {self.child.epitaph()} "
            f"(command in firmware/boards/{self.board.name}.toml)"
        )
