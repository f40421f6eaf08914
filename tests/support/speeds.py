# SPDX-License-Identifier: Apache-2.0
"""A line with speeds on a pty: where the board's and the host's differ, each gets noise instead of what the other said.

The host's is the pty's own; the board's follows what the device says, as a HAL has it: a change after the reply, and
back to the base when nothing has come whole for a while.
"""

from __future__ import annotations

import random
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from support.faulty_board import Answering, Faults, FaultyBoard
from support.protocol_driver import DriverDevice
from tinyproof.host.protocol.device_model import Device

BASE = 115_200


class Uart:
    """The board's side of the line. `hold_s`: as SPEED_HOLD_S of speed.h."""

    def __init__(self, hold_s: float) -> None:
        self.hold_s = hold_s
        self.due = 0
        self.kept_s = 0.0
        self.restart()

    def restart(self) -> None:
        self.now, self.due = BASE, 0

    def set_baud(self, baud: int) -> bool:
        makes = 9600 <= baud <= 1_000_000
        self.due = baud if makes else self.due
        return makes

    def keep_baud(self) -> None:
        self.kept_s = time.monotonic()

    @property
    def baud(self) -> int:
        if self.due:
            self.now, self.due = self.due, 0
        elif self.now != BASE and time.monotonic() - self.kept_s > self.hold_s:
            self.now = BASE
        return self.now


class DriverWithSpeeds(DriverDevice):
    """The firmware's code, which tells `uart` what it wants of it."""

    def __init__(self, program: Path, in_bytes: int, out_bytes: int, uart: Uart) -> None:
        self._uart, self._kept = uart, 0
        super().__init__(program, in_bytes, out_bytes, "speeds")

    def reset(self) -> None:
        super().reset()
        self._kept = 0

    def answer(self, line: bytes) -> bytes:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        replies = b""
        while not (said := self._read()).startswith(b"~"):
            assert said, "the driver has ended"
            replies += said
        baud, kept = map(int, said[1:].split())
        if b"baud" in line and replies.partition(b"*")[0].partition(b" ")[2].startswith(b"ok"):
            assert self._uart.set_baud(baud)
        if kept != self._kept:
            self._kept = kept
            self._uart.keep_baud()
        return replies


class AtSpeeds:
    """`device` behind a UART, on the line to a host whose speed `host_baud` knows."""

    def __init__(self, device: Answering, uart: Uart, bears: Callable[[int], bool]) -> None:
        self.device, self.uart, self.bears = device, uart, bears
        self.host_baud: Callable[[], int] = lambda: BASE
        self.restart: Callable[[], None] = self.reset  # and its banner, where it is on a line
        self.noise = 0
        self.at: list[int] = []  # speeds of requests that arrived whole
        self._random = random.Random(3)

    def reset(self) -> None:
        self.uart.restart()
        self.device.reset()

    def banner(self) -> bytes:
        return self._through(self.device.banner(), self.uart.baud)

    def answer(self, line: bytes) -> bytes:
        baud = self.uart.baud
        arrived = self._through(line, baud)
        if arrived == line:
            self.at.append(baud)
        return self._through(self.device.answer(arrived), baud)

    def _through(self, content: bytes, baud: int) -> bytes:
        if baud == self.host_baud() and self.bears(baud):
            return content
        self.noise += 1
        return bytes(self._random.choice(b"\x00\xff\xfe\xf8U*@:~\x80") for _ in range(1 + len(content) // 2))


class SpeedyBoard(FaultyBoard):
    """On a pty, whose speed is the host's. A context manager."""

    def __init__(self, device: AtSpeeds, faults: Faults) -> None:
        super().__init__(device, faults, pty=True)
        device.host_baud = lambda: _SPEEDS[termios.tcgetattr(self._slave)[5]]

    def restart(self) -> None:
        """Between two requests."""
        self.device.reset()
        self._send(self._end, self.device.banner())

    def __enter__(self) -> SpeedyBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


_SPEEDS: dict[Any, int] = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()
}


def speedy_model(device: Device, uart: Uart) -> Device:
    """`device` with the speeds of `uart`."""
    device.base_baud, device.set_baud, device.keep_baud = BASE, uart.set_baud, uart.keep_baud
    return device
