# SPDX-License-Identifier: Apache-2.0
"""What stands behind a place while it is leased: the board's serial line, and a port at which it takes a firmware.

The serial port carries bytes as they are, or rfc2217 to a real board, whose control lines count. At the flash port a
line of JSON says the files that follow, {"files": {NAME: BYTES}}, and a line of JSON answers, {} or {"fault": "..."}.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError, TinyproofError
from tinyproof.host.targets.emulator import Emulator

READ_BYTES = 4096
MOST_BYTES = 64 << 20  # of all the files of a firmware
TRANSFER_S = 30.0  # between two pieces of it

Over = Callable[[float], bool]  # whether the lease is over, or is within so many seconds


class BoardLine(ABC):
    """An open line to a board."""

    @abstractmethod
    def fileno(self) -> int:
        """What becomes readable when the board says something."""

    @abstractmethod
    def receive(self) -> bytes:
        """What the board has said, as the client gets it; empty when it has gone."""

    @abstractmethod
    def send(self, content: bytes) -> None:
        """What the client says."""

    @abstractmethod
    def close(self) -> None:
        """Ends the conversation."""


class SocketLine(BoardLine):
    """To an emulator, whose socket stays open from one client to the next: the board goes on running."""

    def __init__(self, port: str) -> None:
        host, _, number = port.removeprefix("socket://").rpartition(":")
        self._socket = socket.create_connection((host, int(number)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> bytes:
        try:
            return self._socket.recv(READ_BYTES)
        except ConnectionError:
            return b""

    def send(self, content: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # `receive` says that it has gone
            self._socket.sendall(content)

    def close(self) -> None:
        self._socket.close()


class BehindPlace(ABC):
    """A board of the shelf, for one lease. All calls come from one thread."""

    @abstractmethod
    def connect(self, client: socket.socket) -> BoardLine:
        """The line for a client that has just come. Raises TinyproofError."""

    @abstractmethod
    def flash(self, files: dict[str, bytes], over: Over) -> None:
        """Puts a firmware on the board, or leaves off once the lease is `over`. Raises TinyproofError."""

    @abstractmethod
    def leave(self, line: BoardLine, *, ended: bool) -> None:
        """The client has gone, or, where `ended`, the board has."""

    @abstractmethod
    def close(self) -> None:
        """The lease is over."""


class SimulatedBoard(BehindPlace):
    """An emulator, which starts with the first client after each flash; a lease begins without a firmware."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._folder = tempfile.TemporaryDirectory(prefix="tinyproof-place-")
        self._elf = Path(self._folder.name) / "firmware.elf"
        self._emulator: Emulator | None = None
        self._line: SocketLine | None = None

    def connect(self, client: socket.socket) -> BoardLine:
        if not self._elf.is_file():
            raise BoardError("this board has no firmware yet; ./tinyproof check --fleet puts one there")
        if self._emulator is not None and not self._emulator.child.running():
            self._stop()
        if self._line is None:
            self._emulator = Emulator(self.board, self._elf)
            try:
                self._line = SocketLine(self._emulator.port)
            except OSError as error:  # it has ended since it was started
                fault = self._emulator.fault() or BoardError(f"the emulator of {self.board.name} refuses us: {error}")
                self._stop()
                raise fault from None
        return self._line

    def flash(self, files: dict[str, bytes], over: Over) -> None:
        content = files.get(self._elf.name)
        if content is None:
            raise BoardError(f"board {self.board.name} takes {self._elf.name}, not {', '.join(files) or 'nothing'}")
        self._stop()
        self._elf.write_bytes(content)

    def leave(self, line: BoardLine, *, ended: bool) -> None:
        if ended:
            self._stop()

    def close(self) -> None:
        self._stop()
        self._folder.cleanup()

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._emulator is not None:
            self._emulator.close()
        self._line = self._emulator = None


class PlacePorts:
    """The two ports of a leased place, until `close`. One client at a time on each; a second one waits."""

    def __init__(self, behind: BehindPlace, host: str, before: PlacePorts | None = None) -> None:
        """Listens on ports of the kernel's choice at the address `host`. `before`: those of the lease before, which
        have been closed; nobody is served until they are done with the board."""
        self.behind = behind
        self._serial, self._flash = _listen(host), _listen(host)
        self.serial_port: int = self._serial.getsockname()[1]
        self.flash_port: int = self._flash.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._before = before
        # Emulators end with the thread that has started them, so the one that serves the place is that one.
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Says that the lease is over, and returns at once; the thread ends when all is stopped."""
        self._wake.close()

    def _serve(self) -> None:
        client: socket.socket | None = None
        line: BoardLine | None = None
        if self._before is not None:
            self._before.thread.join()
            self._before = None
        try:
            while True:
                ends = [self._woken, self._flash, *((self._serial,) if client is None else ())]
                ready = select.select([*ends, *(end for end in (client, line) if end is not None)], [], [])[0]
                if self._woken in ready:
                    return
                if self._flash in ready:
                    self._take_firmware()
                    if client is not None and line is not None:  # it talked to the board as it was before
                        client, line = self._part(client, line, ended=False)
                elif self._serial in ready:
                    client, line = self._greet()
                elif client is not None and line is not None:
                    client, line = self._carry(client, line, ready)
        finally:
            for end in (client, self._serial, self._flash, self._woken):
                if end is not None:
                    end.close()
            self.behind.close()

    def _greet(self) -> tuple[socket.socket | None, BoardLine | None]:
        client, _ = self._serial.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return client, self.behind.connect(client)
        except TinyproofError as error:
            with contextlib.suppress(OSError):
                client.sendall(f"# {error.message}\n".encode())
        except OSError:  # the client has gone already
            pass
        client.close()
        return None, None

    def _carry(
        self, client: socket.socket, line: BoardLine, ready: list[Any]
    ) -> tuple[socket.socket | None, BoardLine | None]:
        """What has come from either side goes to the other."""
        try:
            if line in ready:
                content = line.receive()
                if not content:
                    return self._part(client, line, ended=True)
                client.sendall(content)
            if client in ready:
                content = client.recv(READ_BYTES)
                if not content:
                    return self._part(client, line, ended=False)
                line.send(content)
        except OSError:  # the client went away
            return self._part(client, line, ended=False)
        return client, line

    def _part(self, client: socket.socket, line: BoardLine, *, ended: bool) -> tuple[None, None]:
        client.close()
        self.behind.leave(line, ended=ended)
        return None, None

    def _is_over(self, seconds: float) -> bool:
        return bool(select.select([self._woken], [], [], seconds)[0])

    def _take_firmware(self) -> None:
        client, _ = self._flash.accept()
        client.settimeout(TRANSFER_S)
        with client, contextlib.suppress(OSError):  # who has gone needs no answer
            try:
                with client.makefile("rb") as stream:
                    files = _read_files(stream)
                self.behind.flash(files, self._is_over)
                answer = {}
            except (TinyproofError, ValueError, KeyError, TypeError, AttributeError) as error:
                answer = {"fault": error.message if isinstance(error, TinyproofError) else f"no firmware: {error}"}
            client.sendall(json.dumps(answer).encode() + b"\n")


def _listen(host: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen(1)
    return listener


def _read_files(stream: Any) -> dict[str, bytes]:
    """Raises ValueError where they are cut short, or too much."""
    head = json.loads(stream.readline(READ_BYTES))
    sizes = {Path(name).name: int(size) for name, size in head["files"].items()}
    if not 0 <= sum(sizes.values()) <= MOST_BYTES or min(sizes.values(), default=0) < 0:
        raise ValueError(f"{sum(sizes.values())} bytes")
    files = {name: stream.read(size) for name, size in sizes.items()}
    if any(len(files[name]) != size for name, size in sizes.items()):
        raise ValueError("it was cut short")
    return files


def send_firmware(address: tuple[str, int], files: dict[str, bytes]) -> None:
    """The client's side: hands the files to the board behind the flash port at `address`. Raises BoardError."""
    head = json.dumps({"files": {name: len(content) for name, content in files.items()}}).encode() + b"\n"
    try:
        with socket.create_connection(address, TRANSFER_S) as connection, connection.makefile("rb") as answers:
            connection.sendall(head + b"".join(files.values()))
            connection.settimeout(None)  # the upload to a real board takes as long as it takes
            line = answers.readline()
    except OSError as error:
        raise BoardError(f"it does not take a firmware: {error}") from error
    answer = json.loads(line or b'{"fault": "the line was closed before it answered"}')
    if "fault" in answer:
        raise BoardError(f"the firmware did not get there: {answer['fault']}")
