# SPDX-License-Identifier: Apache-2.0
"""A line between a client and a board's socket that drops, garbles, stalls and breaks, by a seed."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass

from tinyproof.host.targets.emulator import listening_socket


@dataclass(frozen=True)
class LineFaults:
    """Rates are per line of the board, 0 to 1. `break_at`: the line after which the connection ends, -1 for none."""

    seed: int
    drop: float = 0.0
    garble: float = 0.0
    stall: float = 0.0
    stall_s: float = 0.3
    break_at: int = -1


class FaultyLine:
    """Takes one client on `port` and connects it with the board at `url`. A context manager; `injected` counts."""

    def __init__(self, url: str, faults: LineFaults) -> None:
        host, _, number = url.removeprefix("socket://").rpartition(":")
        self._board = (host, int(number))
        self.faults = faults
        self.injected: Counter[str] = Counter()
        self._random = random.Random(faults.seed)
        self._listener = listening_socket()
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> FaultyLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client, _ = self._listener.accept()
            with client, contextlib.suppress(OSError), socket.create_connection(self._board) as board:
                for end in (client, board):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._carry(client, board)

    def _carry(self, client: socket.socket, board: socket.socket) -> None:
        buffer, lines = b"", 0
        while not self._stop.is_set():
            ready = select.select([client, board], [], [], 0.05)[0]
            if client in ready:
                content = client.recv(4096)
                if not content:
                    return
                board.sendall(content)
            if board in ready:
                content = board.recv(4096)
                if not content:
                    return
                buffer += content
                while b"\n" in buffer:
                    line, _, buffer = buffer.partition(b"\n")
                    lines += 1
                    client.sendall(self._spoil(line + b"\n"))
                    if lines == self.faults.break_at:
                        self.injected["disconnect"] += 1
                        return

    def _spoil(self, line: bytes) -> bytes:
        faults, rng = self.faults, self._random
        if rng.random() < faults.drop:
            self.injected["drop"] += 1
            return b""
        if rng.random() < faults.garble:
            self.injected["garble"] += 1
            at = rng.randrange(len(line))
            line = line[:at] + bytes([line[at] ^ rng.randrange(1, 256)]) + line[at + 1 :]
        if rng.random() < faults.stall:
            self.injected["stall"] += 1
            time.sleep(faults.stall_s)
        return line
