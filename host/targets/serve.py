# SPDX-License-Identifier: Apache-2.0
"""Keeps a simulated board running for other programs, behind a socket or a pseudo-terminal."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import UsageError
from tinyproof.host.targets.emulator import Emulator, firmware_elf
from tinyproof.host.targets.reference_board import HAS_PTYS, ReferenceBoard

POLL_S = 0.5  # between two looks at whether the emulator still runs


def simulate(board: Board, build_dir: Path, *, pty: bool, announce: Callable[[str], None], dialect: str = "") -> None:
    """Starts the board, tells `announce` its port, and returns never: KeyboardInterrupt ends it and stops the board.

    Raises UsageError for a pty where there are none, EnvironmentFaultError when the emulator is missing or ends by
    itself.
    """
    if pty and not HAS_PTYS:
        raise UsageError("this system has no pseudo-terminals: leave out --pty, and use the socket")
    with ExitStack() as stack:
        running: Emulator | ReferenceBoard
        if board.kind == "host":
            running = stack.enter_context(ReferenceBoard(build_dir, pty=pty))
        else:
            running = stack.enter_context(Emulator(board, firmware_elf(board, build_dir, dialect)))
        bridge = None
        port = running.port
        if pty and board.kind != "host":
            bridge = stack.enter_context(PtyBridge(running.port))
            port = bridge.port
        announce(port)
        while True:
            if bridge is None:
                running.child.ended_within(POLL_S)
            else:
                bridge.carry(POLL_S)
                running.child.ended_within(POLL_S / 10)  # `carry` returns at once when the emulator has ended
            if not running.child.running() and (fault := running.fault()) is not None:
                raise fault


class PtyBridge:
    """A pseudo-terminal in front of a socket:// port, for programs that want a device file. A context manager."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        import tty

        self._master, self._slave = os.openpty()  # the slave stays open, so that clients may come and go
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)

    def __enter__(self) -> PtyBridge:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        os.close(self._master)
        os.close(self._slave)

    def carry(self, seconds: float) -> None:
        """Moves what comes from either side to the other; returns after `seconds` without traffic, or at the end."""
        ends = [self._socket.fileno(), self._master]
        while ready := select.select(ends, [], [], seconds)[0]:
            try:
                if ends[0] in ready:
                    content = self._socket.recv(4096)
                    if not content:
                        return
                    while content:
                        content = content[os.write(self._master, content) :]
                if ends[1] in ready:
                    self._socket.sendall(os.read(self._master, 4096))
            except ConnectionError:  # the emulator ended; its exit status says why
                return
