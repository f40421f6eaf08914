# SPDX-License-Identifier: Apache-2.0
"""Boards are data: one TOML file each in firmware/boards/, read by the build, the host and the command line."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Literal

from tinyproof.core.converter import read_toml
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.paths import FIRMWARE

BOARDS = FIRMWARE / "boards"

# What a simulated board must say beyond the fields that have no default; dots lead into tables.
_NEEDED = (
    *("build.toolchain", "build.package", "build.flags", "build.hal"),
    *("memory", "memory.ram_origin", "memory.stack_bytes", "emulator", "emulator.command"),
)
_NEEDED_BY_FRAMEWORK = {
    "": ("build.linker_script", "memory.flash_origin"),
    "arduino_avr": ("build.core", "build.variant"),
}


@dataclass(frozen=True)
class BuildSpec:
    """How firmware is compiled for a simulated board. A real one is described in platformio.ini: of this, it has at
    most `kernels` and `library`."""

    toolchain: str = ""  # what stands in front of "gcc"
    package: str = ""  # Debian's, which bring the toolchain
    flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ("--specs=nano.specs",)
    c_standard: str = "c99"
    hal: tuple[str, ...] = ()  # files in firmware/lib/hal/
    kernels: tuple[str, ...] = ()  # folders in firmware/lib/engine/ whose kernels come before the portable ones
    linker_script: str = ""  # in firmware/ld/; "": the toolchain's own
    framework: Literal["", "arduino_avr"] = ""  # in firmware/platform/builder/
    core: str = ""  # the framework's folder on this machine
    variant: str = ""  # and of the board in it
    uf2_family: int = 0  # the bootloader's number in a .uf2; 0: its blocks carry none
    library: str = ""  # the interpreter's, for the engine tflm; export/library_lint.py knows what it computes wrongly
    defines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MemorySpec:
    """Addresses, and sizes in bytes. Of real boards only the sizes matter here: their linker scripts are the core's."""

    flash_origin: int | None = None
    flash_bytes: int
    ram_origin: int | None = None
    ram_bytes: int
    stack_bytes: int | None = None  # of the RAM, kept free of data

    def symbols(self) -> dict[str, int]:
        """What the scripts in firmware/ld/ ask of the linker's command line."""
        return {f"__{name}": value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class EmulatorSpec:
    """`command`: words with {elf}, {fd}, {port}, {firmware} and {rp2040js} for us to fill in. `package`: Debian's, by
    default named as the command is. `install`: how to get it where Debian has none."""

    command: tuple[str, ...]
    package: str = ""
    install: str = ""


@dataclass(frozen=True)
class SerialSpec:
    """What a real board asks of its port. `dtr`, `rts`: the level to open with; None leaves pyserial's.

    `fast_baud`: a speed besides that its UART and the bridge before it bear; 0: none. `settle_s`: quiet time that it
    needs after opening. `boot_s`: how long one that resets when its port opens may take until it answers. `returns_s`:
    how long after an upload until its port is back. USB ids as "vendor:product" in hex. `uploader`: the program that
    PlatformIO's command for an upload runs, which is then run by us; "" leaves it to PlatformIO. `loader_remedy`: how a
    hand brings it into its bootloader.
    """

    baud: int = 115200
    fast_baud: int = 0
    dtr: bool | None = None
    rts: bool | None = None
    settle_s: float = 0.0
    boot_s: float = 0.0
    returns_s: float = 10.0
    usb_ids: tuple[str, ...] = ()
    bootloader_ids: tuple[str, ...] = ()
    bootloader_remedy: str = "press reset"
    uploader: Literal["", "esptool", "bossac"] = ""
    loader_remedy: str = "start its bootloader by hand"
    drive_id: str = ""  # Board-ID in the INFO_UF2.TXT of a bootloader that shows itself as a drive


@dataclass(frozen=True)
class Board:
    """`kind`: "simulated" (an emulator that we start), "serial" (real hardware) or "host" (the reference device).

    The name is its PlatformIO environment's, too. `tick_unit` is what its `t=` counts. `clock_hz`: of the chip that a
    simulated one stands for, where cycles are known; 0 where nothing may be said of time. `cycle_model`: the core whose
    timing host/cycles/ knows, so that cycles can be told from the instructions that its emulator runs.
    """

    name: str
    description: str
    kind: Literal["simulated", "serial", "host"]
    isa: str
    tick_unit: Literal["insn", "cycle", "us"]
    clock_hz: int = 0
    cycle_model: Literal["", "cortex-m4"] = ""
    engine: Literal["compiled", "tflm", "reference"] = "compiled"
    hidden: bool = False  # left out of lists: it needs something that tinyproof cannot install
    build: BuildSpec = field(default_factory=BuildSpec)
    memory: MemorySpec | None = None
    emulator: EmulatorSpec | None = None
    serial: SerialSpec = field(default_factory=SerialSpec)


def read_board(path: Path) -> Board:
    """A board from its TOML file; the file's stem is its name. Raises InputFileError naming the file and the key."""
    shown = f"firmware/boards/{path.name}"
    board = read_toml(path, Board, shown, {"name": path.stem})
    if board.name != path.stem:
        raise InputFileError(f"{shown}: name must be {path.stem!r}, as the file is called; leave it out")
    if board.kind == "simulated":
        for key in (*_NEEDED, *_NEEDED_BY_FRAMEWORK[board.build.framework]):
            if attrgetter(key)(board) in (None, "", ()):
                raise InputFileError(f"{shown}: missing key {key}; a simulated board needs it")
    return board


@cache
def all_boards() -> dict[str, Board]:
    """Every board by name, in the order of the alphabet."""
    return {path.stem: read_board(path) for path in sorted(BOARDS.glob("*.toml"))}


def find_board(name: str) -> Board:
    """Raises UsageError naming the closest board there is."""
    boards = all_boards()
    if name in boards:
        return boards[name]
    close = difflib.get_close_matches(name, boards, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"boards: {', '.join(boards)}"
    raise UsageError(f"unknown board {name!r}; {hint} (./tinyproof boards lists them)")
