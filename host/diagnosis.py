# SPDX-License-Identifier: Apache-2.0
"""Finds what stands between this machine and a board, each fault with its remedy. Changes nothing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.system_packages import Missing, System, missing_for, missing_to_prove
from tinyproof.core.tensorflow_settings import TENSORFLOW
from tinyproof.host.transport.usb import Lister, Plugged, boards_of, bootloaders_of, list_plugged

# Kernel drivers of the USB bridges: without one the bridge is there and its port is not.
DRIVERS = {"10c4": "cp210x", "1a86": "ch341", "0403": "ftdi_sio"}
DRIVERS |= dict.fromkeys(("0d28", "2341", "2e8a", "303a"), "cdc_acm")
IGNORE_RULE = 'ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", ENV{ID_MM_DEVICE_IGNORE}="1"'


@dataclass(frozen=True)
class Fault:
    """`blocks`: nothing can be proven on the board concerned before this is mended."""

    kind: str
    what: str
    remedy: str
    blocks: bool


@dataclass(frozen=True)
class Machine:
    """Where the facts come from; tests put folders and functions of their own here."""

    lister: Lister | None = None
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    etc: Path = Path("/etc")
    may_open: Callable[[str], bool] = field(
        # A COM port is no file whose permissions could be asked.
        default=lambda port: sys.platform == "win32" or os.access(port, os.R_OK | os.W_OK)
    )
    system: System = field(default_factory=System)
    has_module: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None


def examine(default_board: str, machine: Machine | None = None) -> list[Fault]:
    """All faults, those that block first."""
    machine = machine or Machine()
    plugged = [port for port in list_plugged(machine.lister) if port.likely]
    faults = [*_tools(default_board, machine), *_drivers(plugged, machine)]
    for port in plugged:
        faults += _port(port, machine)
    faults += _modem_manager(plugged, machine)
    if not all(map(machine.has_module, TENSORFLOW)):
        remedy = 'pip install "tinyproof[train]"; an integer .tflite needs none of it'
        faults.append(Fault("TensorFlow", "training and float models need TensorFlow, which is missing", remedy, False))
    for part in missing_to_prove(machine.system):
        words = f"{part.what} is missing, which ./tinyproof prove needs"
        faults.append(Fault("prove", words, part.remedy, False))
    if not plugged and not any(fault.kind == "driver" for fault in faults):
        faults.append(
            Fault(
                "no board",
                "no board is plugged in that tinyproof knows",
                "none is needed for simulated boards; if one is plugged in, its cable may carry power only: try one "
                "that carries data, and another socket",
                False,
            )
        )
    return sorted(faults, key=lambda fault: not fault.blocks)


def _tools(default_board: str, machine: Machine) -> Iterator[Fault]:
    """A compiler or an emulator that a board needs; it blocks where the board is the one that is used by default."""
    missing: dict[str, tuple[Missing, list[Board]]] = {}
    for board in all_boards().values():
        for part in missing_for(board, machine.system):
            missing.setdefault(part.what, (part, []))[1].append(board)
    for _, (part, boards) in sorted(missing.items()):
        if all(board.hidden for board in boards):
            continue
        names = ", ".join(board.name for board in boards)
        yield Fault(
            "tool",
            f"{part.what} is missing, which {names} needs",
            part.remedy,
            any(board.name == default_board for board in boards),
        )


def missing_packages(system: System | None = None) -> list[str]:
    """Debian packages of all that a simulated board which Debian can provide for needs and has not."""
    parts = [part for board in all_boards().values() if not board.hidden for part in missing_for(board, system)]
    return sorted({package for part in parts for package in part.packages.split()})


def _drivers(plugged: list[Plugged], machine: Machine) -> Iterator[Fault]:
    """USB devices that are a board's, and have no serial port."""
    seen = {port.usb_id for port in plugged}
    for vendor_file in sorted(machine.sys.glob("bus/usb/devices/*/idVendor")):
        vendor, product = _read(vendor_file), _read(vendor_file.with_name("idProduct"))
        usb_id = f"{vendor}:{product}"
        boards = boards_of(usb_id) or bootloaders_of(usb_id)
        if not boards or usb_id in seen:
            continue
        thief = next((pid for pid, name in _processes(machine) if name == "brltty"), None)
        if vendor == "1a86" and thief:
            remedy = "brltty takes it for a braille display: sudo apt-get remove brltty, then plug it in again"
        else:
            driver = DRIVERS.get(vendor, "usbserial")
            remedy = f"load its driver: sudo modprobe {driver} (some kernels have it in linux-modules-extra)"
        yield Fault("driver", f"{usb_id} ({boards[0]}) is on the bus and has no serial port", remedy, True)


def _port(port: Plugged, machine: Machine) -> Iterator[Fault]:
    board = all_boards()[port.likely[0]]
    if port.bootloader:
        yield Fault(
            "bootloader",
            f"{board.name} on {port.port} is in its bootloader ({port.usb_id})",
            f"{board.serial.bootloader_remedy}, or flash it: ./tinyproof flash --board {board.name}",
            True,
        )
    if not machine.may_open(port.port):
        group = _group(port.port)
        yield Fault(
            "permission",
            f"{port.port} ({board.name}) may not be opened by you",
            f'sudo usermod -aG {group} $USER, then log in again (or a udev rule with TAG+="uaccess")',
            True,
        )
    for pid, name in holders(port.port, machine.proc):
        yield Fault(
            "held",
            f"{port.port} ({board.name}) is held by {name} (process {pid})",
            f"close it, or: kill {pid}",
            True,
        )


def holders(port: str, proc: Path = Path("/proc")) -> list[tuple[int, str]]:
    """(pid, name) of other processes that have `port` open, as far as this user may see."""
    target = os.path.realpath(port)
    found = []
    for pid, name in _processes_in(proc):
        if pid == os.getpid():
            continue
        try:
            links = [os.path.realpath(entry) for entry in (proc / str(pid) / "fd").iterdir()]
        except OSError:  # another user's, or it has just ended
            continue
        if target in links:
            found.append((pid, name))
    return found


def _modem_manager(plugged: list[Plugged], machine: Machine) -> Iterator[Fault]:
    """It sends AT commands to every new port, into the firmware's line buffer."""
    if not any(name == "ModemManager" for _, name in _processes(machine)):
        return
    rules = "\n".join(_read(path) for path in sorted(machine.etc.glob("udev/rules.d/*.rules")))
    for port in plugged:
        vendor, product = port.usb_id.split(":")
        ignored = any(
            "ID_MM_DEVICE_IGNORE" in line and vendor in line and product in line for line in rules.splitlines()
        )
        if not ignored:
            rule = IGNORE_RULE % (vendor, product)
            yield Fault(
                "ModemManager",
                f"ModemManager runs and will send AT commands to {port.port} ({port.likely[0]}) whenever it appears",
                f"put this line into /etc/udev/rules.d/99-tinyproof.rules and plug the board in again: {rule}",
                False,
            )


def _processes(machine: Machine) -> list[tuple[int, str]]:
    return _processes_in(machine.proc)


def _processes_in(proc: Path) -> list[tuple[int, str]]:
    found = []
    for folder in proc.iterdir() if proc.is_dir() else ():
        if folder.name.isdigit():
            found.append((int(folder.name), _read(folder / "comm")))
    return sorted(found)


def _group(port: str) -> str:
    try:
        import grp  # not on Windows

        return grp.getgrgid(Path(port).stat().st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "dialout"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
