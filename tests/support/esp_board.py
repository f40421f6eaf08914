# SPDX-License-Identifier: Apache-2.0
"""An ESP32 behind its USB bridge, out of parts: the ROM loader is the package esp32-mock-bootloader's, which esptool
cannot tell from a chip's; what is ours is the bridge, whose DTR and RTS choose what starts, and the firmware.

Over rfc2217 the two lines are carried. A pty has none: there a hand holds BOOT at first, and presses EN once something
has been written and the port was let go.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import threading
import time
import tty
from collections.abc import Callable
from typing import Any

from esp32_mock_bootloader.server import BootloaderConnection, FlashImage, handle_client
from serial.rfc2217 import PortManager

from support.scripted_board import make_device
from tinyproof.host.protocol.device_model import Device

APP_OFFSET = 0x10000
_MODEL_ID = re.compile(rb"[0-9a-f]{16}(?=\0)")


class Flash(FlashImage):  # type: ignore[misc]
    """The chip's flash. `worn`: an address at which a bit falls over, once; `after`: what happens once so many bytes
    have been written."""

    def __init__(self, worn: int | None = None, after: tuple[int, Callable[[], None]] | None = None) -> None:
        super().__init__()
        self.worn, self.after = worn, after
        self.written = 0

    def write_defl_block(self, payload: bytes) -> None:
        super().write_defl_block(payload)
        self._count(len(payload))

    def write_plain_block(self, payload: bytes) -> None:
        super().write_plain_block(payload)
        self._count(len(payload))

    def _count(self, count: int) -> None:
        self.written += count
        if self.worn is not None and max(self._defl_offset, self._plain_offset) > self.worn:
            self.data[self.worn] ^= 1
            self.worn = None
        if self.after is not None and self.written >= self.after[0]:
            happens, self.after = self.after[1], None
            happens()

    def model_id(self) -> str:
        """That of the firmware that lies there, as it would name it; "" for none."""
        found = _MODEL_ID.search(bytes(self.data), APP_OFFSET)
        return found[0].decode() if found else ""


class EspBoard:
    """A context manager. `port`: what to give to esptool. `boots`: how often which side has started."""

    def __init__(
        self,
        chip: str = "esp32",
        *,
        flash: Flash | None = None,
        pty: bool = False,
        dead: bool = False,
        runs: Callable[[str], Device] | None = None,
    ) -> None:
        """`dead`: its loader never answers, as where BOOT is not held on a board without the two transistors. `runs`:
        what the firmware does in which this model id was found; without it, it answers nothing but its name."""
        self.chip, self.flash, self.dead = chip, flash or Flash(), dead
        self.boots = {"loader": 0, "firmware": 0}
        self.dtr = self.rts = False
        self._device: Device | None = None
        self._runs = runs or (lambda identity: make_device(identity, board=chip))
        self._loader: tuple[socket.socket, threading.Event, threading.Thread] | None = None
        self._say: Callable[[bytes], None] = lambda content: None
        self._stop = threading.Event()
        self._listener: socket.socket | None = None
        if pty:
            self._master, slave = os.openpty()
            tty.setraw(slave)
            self.port = os.ttyname(slave)
            os.close(slave)  # so that the master sees when somebody opens and closes the port
            self._say = lambda content: _write(self._master, content)
            self.start(loader=True)
            target = self._serve_pty
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._listener.settimeout(0.05)
            self.port = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
            self.start(loader=False)
            target = self._serve_rfc2217
        self._thread = threading.Thread(target=target, daemon=True)
        self._thread.start()

    def __enter__(self) -> EspBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        """At once, whatever is being said; the flash keeps what it has."""
        self._stop.set()
        self._end_loader()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def start(self, *, loader: bool) -> None:
        """What EN does when it rises: the loader where IO0 is low, or else what lies in the flash."""
        self._end_loader()
        self._device = None
        if loader:
            self.boots["loader"] += 1
            if not self.dead:
                self._start_loader()
        else:
            self.boots["firmware"] += 1
            if identity := self.flash.model_id():
                self._device = self._runs(identity)

    def _start_loader(self) -> None:
        ours, theirs = socket.socketpair()
        stop = threading.Event()
        connection = BootloaderConnection(sock=theirs, track_disconnect=True)
        options = {"exit_on_disconnect": True, "flash": self.flash}
        threading.Thread(target=handle_client, args=(connection, stop, self.chip), kwargs=options, daemon=True).start()
        reader = threading.Thread(target=self._carry, args=(ours,), daemon=True)
        self._loader = (ours, stop, reader)
        reader.start()

    def _end_loader(self) -> None:
        if self._loader is not None:
            ours, stop, _ = self._loader
            self._loader = None
            stop.set()
            with contextlib.suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

    def _carry(self, loader: socket.socket) -> None:
        with loader, contextlib.suppress(OSError):
            while content := loader.recv(4096):
                self._say(content)

    def hear(self, content: bytes) -> None:
        """What comes in at the UART."""
        if self._loader is not None:
            with contextlib.suppress(OSError):
                self._loader[0].sendall(content)
        elif self._device is not None:
            self._say(self._device.feed(content))

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """The bridge's two transistors: RTS alone pulls EN down, and IO0 is what DTR says when RTS lets go."""
        was = self.rts
        self.dtr = self.dtr if dtr is None else dtr
        self.rts = self.rts if rts is None else rts
        if was and not self.rts:
            self.start(loader=self.dtr)

    def _serve_pty(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        opened = False
        while not self._stop.is_set():
            events = dict(poll.poll(10)).get(self._master, 0)
            if events & select.POLLIN:
                opened = True
                with contextlib.suppress(OSError):
                    self.hear(os.read(self._master, 4096))
            elif events & select.POLLHUP:
                if opened and self._loader is not None and self.flash.written:
                    self.start(loader=False)
                opened = False
                time.sleep(0.005)
        os.close(self._master)

    def _serve_rfc2217(self) -> None:
        assert self._listener is not None
        with self._listener:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = self._listener.accept()
                    with client:
                        self._serve_client(client)

    def _serve_client(self, client: socket.socket) -> None:
        manager = PortManager(_Bridge(self), _Writer(client))

        def say(content: bytes) -> None:
            with contextlib.suppress(OSError):  # it has gone
                client.sendall(b"".join(manager.escape(content)))

        self._say = say
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                if select.select([client], [], [], 0.02)[0]:
                    content = client.recv(4096)
                    if not content:
                        return
                    self.hear(b"".join(manager.filter(content)))


class _Bridge:
    """What PortManager sets and asks, of a pyserial port."""

    def __init__(self, board: EspBoard) -> None:
        self._board = board
        self.baudrate, self.bytesize, self.parity, self.stopbits = 115200, 8, "N", 1
        self.xonxoff = self.rtscts = self.dsrdtr = self.break_condition = False
        self.cts = self.dsr = self.ri = self.cd = False

    @property
    def dtr(self) -> bool:
        return self._board.dtr

    @dtr.setter
    def dtr(self, value: bool) -> None:
        self._board.set_lines(dtr=value)

    @property
    def rts(self) -> bool:
        return self._board.rts

    @rts.setter
    def rts(self, value: bool) -> None:
        self._board.set_lines(rts=value)

    def __getattr__(self, name: str) -> Any:
        if name in ("reset_input_buffer", "reset_output_buffer"):
            return lambda: None
        raise AttributeError(name)


class _Writer:
    def __init__(self, client: socket.socket) -> None:
        self.write = client.sendall


def _write(master: int, content: bytes) -> None:
    with contextlib.suppress(OSError):  # unplugged meanwhile
        while content:
            content = content[os.write(master, content) :]
