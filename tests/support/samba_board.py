# SPDX-License-Identifier: Apache-2.0
"""A board with Arduino's SAM-BA loader, as the Nano 33 BLE has one, on pseudo-terminals.

Debian's bossac knows no nRF52840, so its chip poses as a SAMD21: what is asked before the first erasure differs, the
extended commands X, Y and Z that carry the image do not. A touch of the firmware's port at 1200 baud, and each reset,
let the port disappear and another one come, under another name and with another USB id.
"""

from __future__ import annotations

import binascii
import contextlib
import os
import re
import select
import struct
import termios
import threading
import time
import tty
from collections.abc import Callable

from support.scripted_board import ListedPort, make_device
from tinyproof.host.protocol.device_model import Device

FLASH_BYTES, RAM_BYTES = 0x40000, 0x8000
RAM = 0x20000000
NVM_COMMAND, NVM_FLAGS, NVM_READY, NVM_ERROR = 0x41004000, 0x41004014, 1, 2
SAMD21_WORDS = {0xE000ED00: 0x410CC601, 0x41002018: 0x10010005, NVM_FLAGS: NVM_READY}  # CPUID, DID
AIRCR, RESET = 0xE000ED0C, 0x05FA0004
FIRMWARE_ID, LOADER_ID = (0x2341, 0x805A), (0x2341, 0x005A)
GONE_S = 0.15  # between two ports
_COMMAND = re.compile(rb"([A-Za-z])([0-9A-Fa-f]*)(?:,([0-9A-Fa-f]*))?#")
_MODEL_ID = re.compile(rb"[0-9a-f]{16}(?=\0)")


class SambaBoard:
    """A context manager. `ports`: what is plugged in now, as serial.tools.list_ports says it; `names`: those that it
    has had."""

    def __init__(
        self,
        *,
        old: str = "",
        touched: bool = True,
        locked: bool = False,
        extended: bool = True,
        knows_chip: bool = True,
        worn: int | None = None,
        after: tuple[int, Callable[[], None]] | None = None,
    ) -> None:
        """`old`: id of the model that it runs at first. `touched`: a touch at 1200 baud starts the loader; else a
        double press alone. `locked`: its flash stays as it is. `extended`: it knows X, Y and Z. `worn`: an address
        at which a bit falls over. `after`: what happens once so many bytes have been written."""
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.ram = bytearray(RAM_BYTES)
        self.old, self.touched, self.locked, self.extended = old, touched, locked, extended
        self.worn, self.after = worn, after
        self.words = dict(SAMD21_WORDS) | ({} if knows_chip else {0xE000ED00: 0x410FC241, 0x41002018: 0x12345678})
        self.written, self.loader = 0, False
        self.serial_number = "A1B2C3"
        self.commands: list[str] = []
        self._pending, self._due, self._source = b"", 0, 0
        self._device: Device | None = None
        self._master = self._slave = -1
        self.ports: list[ListedPort] = []
        self.names: list[str] = []
        self._opened = False
        self._copied_from = 0
        self._kept: tuple[int, int] | None = None
        self._next: bool | None = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        while not self.ports:
            time.sleep(0.005)

    def __enter__(self) -> SambaBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    @property
    def port(self) -> str:
        return self.ports[0].device

    def model_id(self) -> str:
        """That of the firmware that lies in the flash, or of the one that it came with."""
        found = _MODEL_ID.search(bytes(self.flash))
        return found[0].decode() if found else self.old

    def restart(self, *, loader: bool) -> None:
        """A press of reset, or two: the port goes, and another one comes."""
        had = len(self.names)
        self._next = loader
        while len(self.names) == had or not self.ports:
            time.sleep(0.005)

    def unplug(self) -> None:
        """Until `restart`."""
        self._next = None
        self._close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if self._next is not None and self._master < 0:
                self._come(loader=self._next)
            elif self._master < 0:
                time.sleep(0.01)
            else:
                self._look()
        self._close()

    def _come(self, *, loader: bool) -> None:
        self.loader, self._next = loader, None
        self._pending, self._due = b"", 0
        self._master, slave = self._kept or os.openpty()
        self._kept = None
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)  # so that the master sees when somebody opens and closes the port
        self._opened = False
        identity = "" if loader else self.model_id()
        self._device = make_device(identity) if identity else None
        self.names.append(name)
        self.ports = [ListedPort(name, *(LOADER_ID if loader else FIRMWARE_ID), self.serial_number)]

    def _look(self) -> None:
        """At what the port's other side has done."""
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        events = dict(poll.poll(10)).get(self._master, 0)
        if events & select.POLLIN:
            self._opened = True
            with contextlib.suppress(OSError):
                self._hear(os.read(self._master, 4096))
        elif events & select.POLLHUP:
            if self._opened or self._speed() == termios.B1200:
                self._opened = False
                if not self.loader and self.touched and self._speed() == termios.B1200:
                    self._next = True
            time.sleep(0.005)
        else:
            self._opened = True
        if self._next is not None and self._master >= 0:
            self._leave()

    def _leave(self) -> None:
        """The next port has another name: the kernel gives a name again as soon as nobody has it."""
        self.ports = []
        kept = os.openpty()
        self._close()
        time.sleep(GONE_S)
        self._kept = kept

    def _speed(self) -> int:
        return int(termios.tcgetattr(self._master)[5])

    def _close(self) -> None:
        self.ports = []
        master, self._master = self._master, -1
        if master >= 0:
            os.close(master)

    def _hear(self, content: bytes) -> None:
        if not self.loader:
            if self._device is not None:
                self._say(self._device.feed(content))
            return
        self._pending += content
        while self._pending and self._master >= 0:
            if self._due:  # bytes of a memory, which come as they are
                taken = self._pending[: self._due]
                self._store(self._source, taken)
                self._source, self._due = self._source + len(taken), self._due - len(taken)
                self._pending = self._pending[len(taken) :]
                continue
            match = _COMMAND.match(self._pending)
            if match is None:
                if b"#" not in self._pending:
                    return
                self._pending = self._pending[self._pending.index(b"#") + 1 :]
                continue
            self._pending = self._pending[match.end() :]
            self._obey(match[1].decode(), *(int(word or b"0", 16) for word in match.groups(b"0")[1:]))

    def _obey(self, verb: str, first: int, second: int) -> None:
        """By their letters: Arduino's "SAM-BA monitor", ASF's sam_ba_monitor.c with the extensions X, Y and Z."""
        self.commands.append(verb)
        if verb in _ANSWERS:
            _ANSWERS[verb](self, first, second)

    def _version(self, first: int, second: int) -> None:
        self._say(b"v2.0 [Arduino:XYZ]\n\r" if self.extended else b"v1.1\n\r")

    def _write_word(self, address: int, value: int) -> None:
        if (address, value) == (AIRCR, RESET):
            self._next = False
        elif address == NVM_COMMAND and self.locked:
            self.words[NVM_FLAGS] |= NVM_ERROR

    def _expect(self, address: int, count: int) -> None:
        self._source, self._due = address, count

    def _erase(self, start: int, _: int) -> None:
        if not self.locked:
            self.flash[start:] = b"\xff" * (FLASH_BYTES - start)
        self._say(b"X\n\r")  # and looks not whether it is erased, as the original

    def _program(self, address: int, count: int) -> None:
        if count == 0:
            self._copied_from = address - RAM
        elif not self.locked:
            self.flash[address : address + count] = self.ram[self._copied_from : self._copied_from + count]
            if self.worn is not None and address <= self.worn < address + count:
                self.flash[self.worn] ^= 0x10
            self.written += count
            if self.after is not None and self.written >= self.after[0]:
                happens, self.after = self.after[1], None
                happens()
        self._say(b"Y\n\r")

    def _checksum(self, start: int, count: int) -> None:
        self._say(b"Z%08X#\n\r" % binascii.crc_hqx(self.flash[start : start + count], 0))

    def _word(self, address: int) -> int:
        if address < FLASH_BYTES:
            return int.from_bytes(self.flash[address : address + 4], "little")
        return self.words.get(address, 0)

    def _store(self, address: int, content: bytes) -> None:
        self.ram[address - RAM : address - RAM + len(content)] = content

    def _say(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            while content and self._master >= 0:
                content = content[os.write(self._master, content) :]


_ANSWERS: dict[str, Callable[[SambaBoard, int, int], None]] = {
    "N": lambda board, *_: board._say(b"\n\r"),
    "V": SambaBoard._version,
    "w": lambda board, address, _: board._say(struct.pack("<I", board._word(address))),
    "W": SambaBoard._write_word,
    "S": SambaBoard._expect,
    "R": lambda board, start, count: board._say(bytes(board.flash[start : start + count])),
    "X": SambaBoard._erase,
    "Y": SambaBoard._program,
    "Z": SambaBoard._checksum,
}
