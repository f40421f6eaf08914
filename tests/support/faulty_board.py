# SPDX-License-Identifier: Apache-2.0
"""A fake board on a socket or a pty, with seeded faults on its line."""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import socket
import threading
import time
import tty
from dataclasses import dataclass
from typing import Protocol

from tinyproof.host.protocol.framing import crc16
from tinyproof.host.targets.emulator import listening_socket


class Answering(Protocol):
    """What a board is made of: a device model, or the firmware's own code."""

    def answer(self, line: bytes) -> bytes: ...

    def reset(self) -> None: ...

    def banner(self) -> bytes: ...


@dataclass
class Faults:
    """Rates are per reply, 0 to 1. `reset_at`: requests after which the board restarts and loses its state."""

    seed: int = 1
    drop: float = 0.0
    garble: float = 0.0
    garble_request: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.0
    duplicate: float = 0.0
    join: float = 0.0  # requests that lose their LF, and so become one with the next
    reset_at: tuple[int, ...] = ()
    drop_at: tuple[int, ...] = ()  # requests whose replies are lost
    garble_request_at: tuple[int, ...] = ()
    silent: bool = False
    flood: bytes = b""  # sent over and over again, instead of replies
    close_at: int = -1  # request at which the connection ends
    noise: bytes = b""  # sent when the port opens
    one_late: bool = False  # each reply is kept until the next request comes
    contradicts_at: int = -1  # request that gets two replies,
    wrong_first: bool = False  # of which the wrong one comes first or last,
    apart_s: float = 0.0  # and so much later, or in one chunk


class FaultyBoard:
    """Runs in a thread of its own until `stop`; `port` is its pyserial URL or device file."""

    def __init__(self, device: Answering, faults: Faults, *, pty: bool) -> None:
        self.device = device
        self.faults = faults
        self.served = 0
        self.spoiled = 0  # requests and replies that were damaged, lost or late: what a repeat is for
        self.duplicated = 0
        self._random = random.Random(faults.seed)
        self._kept = b""  # a reply that is late
        self._stop = threading.Event()
        self._slave = -1
        if pty:
            self._end, self._slave = os.openpty()
            tty.setraw(self._slave)
            self.port = os.ttyname(self._slave)
        else:
            self._listener = listening_socket()
            self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._slave >= 0:
            os.close(self._slave)
            os.close(self._end)
        else:
            self._listener.close()

    def _serve(self) -> None:
        if self._slave >= 0:
            self._talk(self._end)
            return
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            client, _ = self._listener.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._talk(client.fileno())

    def _talk(self, fd: int) -> None:
        buffer = b""
        os.set_blocking(fd, False)
        self._send(fd, self.faults.noise)
        while not self._stop.is_set():
            if self.faults.flood:
                self._send(fd, self.faults.flood)
            if not select.select([fd], [], [], 0 if self.faults.flood else 0.02)[0]:
                continue
            try:
                content = os.read(fd, 4096)
            except OSError:
                return
            if not content:
                return
            buffer += content
            while b"\n" in buffer:
                request, _, buffer = buffer.partition(b"\n")
                if not request:
                    continue
                if buffer and self._random.random() < self.faults.join:
                    self.spoiled += 1
                    buffer = request + buffer
                    continue
                if self.served == self.faults.close_at:
                    return
                self._answer(fd, request)

    def _answer(self, fd: int, request: bytes) -> None:
        faults, rng = self.faults, self._random
        self.served += 1
        if self.served in faults.reset_at:
            reply = self.device.answer(request)
            self.device.reset()
            self._send(fd, reply[: len(reply) // 2] + b"\x00\xff" + self.device.banner())
            return
        if faults.silent or faults.flood:
            return
        if faults.one_late:
            kept, self._kept = self._kept, self.device.answer(request)
            self._send(fd, kept)
            return
        if self.served == faults.contradicts_at:
            self._contradict(fd, self.device.answer(request))
            return
        damaged = dropped = garbled = late = False
        if damaged := rng.random() < faults.garble_request or self.served in faults.garble_request_at:
            request = self._garbled(request)
        reply = self.device.answer(request)
        if not (dropped := rng.random() < faults.drop or self.served in faults.drop_at):
            if garbled := rng.random() < faults.garble:
                reply = self._garbled(reply)
            if late := rng.random() < faults.delay:
                time.sleep(faults.delay_s)
            twice = rng.random() < faults.duplicate
            self.duplicated += twice
            self._send(fd, reply * (2 if twice else 1))
        self.spoiled += damaged or dropped or garbled or late

    def _contradict(self, fd: int, reply: bytes) -> None:
        body = re.sub(rb"q=(-?\d+)", lambda found: b"q=%d" % (int(found[1]) ^ 1), reply.partition(b"*")[0])
        assert body != reply.partition(b"*")[0]
        wrong = b"%s*%04X\n" % (body, crc16(body))
        first, second = (wrong, reply) if self.faults.wrong_first else (reply, wrong)
        if self.faults.apart_s:
            self._send(fd, first)
            time.sleep(self.faults.apart_s)
            self._send(fd, second)
        else:
            self._send(fd, first + second)

    def _garbled(self, content: bytes) -> bytes:
        """One byte changed, removed or added."""
        at = self._random.randrange(len(content))
        middle = (bytes([content[at] ^ self._random.randrange(1, 256)]), b"", content[at : at + 1] + b"\xa5")
        return content[:at] + self._random.choice(middle) + content[at + 1 :]

    def _send(self, fd: int, content: bytes) -> None:
        while content and not self._stop.is_set():
            if select.select([], [fd], [], 0.02)[1]:
                with contextlib.suppress(BlockingIOError):
                    try:
                        content = content[os.write(fd, content) :]
                    except OSError as error:
                        if isinstance(error, BlockingIOError):
                            raise
                        return
