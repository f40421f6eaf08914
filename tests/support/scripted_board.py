# SPDX-License-Identifier: Apache-2.0
"""Boards that behave as real ones do at their worst, on pseudo-terminals, with a list of ports that a test writes."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from dataclasses import dataclass

from support.fake_build import ID, X, Y
from support.single_device import single_device
from tinyproof.core.manifest import model_id
from tinyproof.host.protocol.device_model import Device

OTHER_ID = model_id(b"another model")


@dataclass(frozen=True)
class ListedPort:
    """As one of serial.tools.list_ports.comports()."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None = None
    description: str = "scripted"


def make_device(identity: str = ID, board: str = "nano33ble") -> Device:
    return single_device(identity, X, Y, lambda content: content, board=board, engine="compiled")


class ScriptedBoard:
    """A device behind a pty. `boot_log`: it resets whenever its port is opened, says this, and is deaf for `boot_s`.

    `before`: bytes that another program had sent before us. A context manager.
    """

    def __init__(self, device: Device, *, boot_log: bytes = b"", boot_s: float = 0.0, before: bytes = b"") -> None:
        self._device, self._boot_log, self._boot_s = device, boot_log, boot_s
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # so that the master sees when somebody opens the port
        self.resets = 0
        device.feed(before)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptedBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        os.close(self._master)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        opened, deaf_until = False, 0.0
        while not self._stop.is_set():
            events = dict(poll.poll(20)).get(self._master, 0)
            if events & select.POLLHUP and not events & select.POLLIN:
                opened = False
                time.sleep(0.005)
                continue
            if not opened:
                opened = True
                if self._boot_log:
                    self.resets += 1
                    deaf_until = time.monotonic() + self._boot_s
                    os.write(self._master, self._boot_log)
            if events & select.POLLIN:
                content = os.read(self._master, 4096)
                if time.monotonic() >= deaf_until:
                    os.write(self._master, self._device.feed(content))
