# SPDX-License-Identifier: Apache-2.0
"""Before an upload: a board whose USB is the chip's own goes into its bootloader, and comes back as another port."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError
from tinyproof.core.serial_touch import touch
from tinyproof.host.transport.usb import Plugged, list_plugged, plugged_at

POLL_S = 0.1

UNKNOWN_S = 3.0  # for a port of which the system says nothing

Lister = Callable[[], list[Plugged]]
Upload = Callable[[str], object]  # takes the port where the board is when it begins


def in_loader(board: Board, upload: Upload, lister: Lister = list_plugged) -> Upload:
    """`upload` for the port that the firmware has: it is called with that of the bootloader, where there is one."""
    if board.serial.uploader != "bossac":  # esptool starts the loader itself
        return upload
    return lambda port: upload(enter_loader(board, port, lister))


def enter_loader(board: Board, port: str, lister: Lister) -> str:
    """The port of the bootloader of the board at `port`, which is touched unless it is there already.

    Known by its USB serial number, or else by not having been there before. A port that is no USB port, of which the
    system says nothing, keeps its name. Raises BoardError where no bootloader comes.
    """
    before = lister()
    ours = plugged_at(port, before)
    if ours is not None and ours.bootloader:
        return ours.port
    touch(port)
    seconds = UNKNOWN_S if ours is None else board.serial.returns_s
    deadline = time.monotonic() + seconds
    while True:
        if (found := _loader_of(board, ours, before, lister())) is not None:
            return _usable(found.port, deadline)
        if time.monotonic() >= deadline:
            break
        time.sleep(POLL_S)
    if ours is None and Path(port).exists():
        return port
    raise BoardError(
        f"{board.name} on {port} has not started its bootloader in {seconds:g} s; "
        f"{board.serial.loader_remedy}, then flash again"
    )


def _loader_of(board: Board, ours: Plugged | None, before: list[Plugged], now: list[Plugged]) -> Plugged | None:
    for port in now:
        if not port.bootloader or port.usb_id not in board.serial.bootloader_ids:
            continue
        if ours is not None and ours.serial_number and port.serial_number:
            if port.serial_number == ours.serial_number:
                return port
        elif port not in before:
            return port
    return None


def _usable(port: str, deadline: float) -> str:
    """`port` once it may be opened: udev lets its group in a moment after the kernel has made it."""
    while Path(port).exists() and not os.access(port, os.R_OK | os.W_OK) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return port
