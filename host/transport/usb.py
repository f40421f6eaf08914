# SPDX-License-Identifier: Apache-2.0
"""What is plugged in: serial ports with their USB ids, and the boards that these ids point to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board, all_boards

Lister = Callable[[], Iterable[Any]]  # as serial.tools.list_ports.comports


@dataclass(frozen=True)
class Plugged:
    """`usb_id`: "2341:805a", or "" for a port that is not USB. `likely`: boards with this id, the compiled engine's
    first. `bootloader`: the id is that of a bootloader, so no firmware of ours answers."""

    port: str
    usb_id: str
    serial_number: str
    description: str
    likely: tuple[str, ...]
    bootloader: bool


def list_plugged(lister: Lister | None = None) -> list[Plugged]:
    """USB serial ports in the order of their names."""
    from serial.tools.list_ports import comports

    found = []
    for port in (lister or comports)():
        if port.vid is None:
            continue
        usb_id = f"{port.vid:04x}:{port.pid:04x}"
        application, loader = boards_of(usb_id), bootloaders_of(usb_id)
        found.append(
            Plugged(
                port.device,
                usb_id,
                port.serial_number or "",
                port.description or "",
                application or loader,
                bool(loader and not application),
            )
        )
    return sorted(found, key=lambda plugged: plugged.port)


def boards_of(usb_id: str) -> tuple[str, ...]:
    """Names of the boards that show `usb_id` while they run."""
    return tuple(board.name for board in all_boards().values() if usb_id in board.serial.usb_ids)


def bootloaders_of(usb_id: str) -> tuple[str, ...]:
    """Names of the boards whose bootloader shows `usb_id`."""
    return tuple(board.name for board in all_boards().values() if usb_id in board.serial.bootloader_ids)


def ports_of(board: Board, plugged: list[Plugged]) -> list[Plugged]:
    """Those that may be `board`, in its application or its bootloader."""
    return [port for port in plugged if port.usb_id in (*board.serial.usb_ids, *board.serial.bootloader_ids)]


def plugged_at(port: str, plugged: list[Plugged]) -> Plugged | None:
    """That of the name `port`, or to which it is a link, such as those in /dev/serial/by-id; None for no USB port."""
    file = os.path.realpath(port)
    return next((one for one in plugged if one.port in (port, file)), None)


def stable_port(port: str, links: Path = Path("/dev/serial/by-id")) -> str:
    """The name under which Linux keeps the board at `port`, wherever it comes back; `port` where there is none."""
    if not links.is_dir():
        return port
    return next((str(link) for link in sorted(links.iterdir()) if link.resolve() == Path(port).resolve()), port)
