# SPDX-License-Identifier: Apache-2.0
"""After an upload: find the board again, whatever its port is called now, and hear from it which model it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.host.protocol.messages import Info
from tinyproof.host.session import open_client
from tinyproof.host.targets.loader import POLL_S, Lister, Upload
from tinyproof.host.transport.usb import Plugged, list_plugged, plugged_at, ports_of


@dataclass(frozen=True)
class Flashed:
    """`port` is where the board is now, which may be elsewhere than before the upload."""

    port: str
    info: Info


def choose_port(board: Board, port: str | None, plugged: list[Plugged]) -> str:
    """`port`, or that of the only board of this kind; "" where there is none and its bootloader is a drive.

    Raises BoardError when there is none or more than one.
    """
    if board.kind != "serial":
        raise UsageError(f"board {board.name} is not flashed; ./tinyproof check --board {board.name} starts it")
    if port is not None:
        return port
    fitting = ports_of(board, plugged)
    if not fitting and board.serial.drive_id:
        return ""
    if not fitting:
        others = ", ".join(f"{other.port} {other.usb_id}" for other in plugged) or "none"
        raise BoardError(
            f"no {board.name} is plugged in (USB serial ports here: {others}); plug it in with a cable that carries "
            "data, or give --port; ./tinyproof doctor knows more"
        )
    if len(fitting) > 1:
        names = ", ".join(f"{one.port} (serial number {one.serial_number or 'unknown'})" for one in fitting)
        raise BoardError(f"more than one port may be {board.name}: {names}; say which: --port")
    return fitting[0].port


def flash(
    board: Board,
    model_id: str,
    port: str,
    upload: Upload,
    config: CheckConfig,
    lister: Lister = list_plugged,
) -> Flashed:
    """Calls `upload(port)`, waits for the board and confirms that it runs `model_id`.

    Raises BoardError when the board does not come back, stays in its bootloader, is silent or runs another model; and
    what `upload` raises.
    """
    before = plugged_at(port, lister())
    upload(port)
    now = await_return(board, port, before, lister)
    return Flashed(now, confirm(board, model_id, now, config))


def await_return(board: Board, port: str, before: Plugged | None, lister: Lister) -> str:
    """The port of the board that was `before` on `port`: found by its USB serial number, else by its kind.

    `port` is "" where the board was in a bootloader without one.
    """
    if before is None and port:  # no USB port: a network port, or a UART of this machine, keeps its name
        return port
    seconds = board.serial.returns_s
    deadline = time.monotonic() + seconds
    stuck: Plugged | None = None
    while True:
        same = [plugged for plugged in lister() if _same(plugged, before, board)]
        running = [plugged for plugged in same if not plugged.bootloader]
        if running:
            return next((plugged.port for plugged in running if plugged.port == port), running[0].port)
        stuck = same[0] if same else None
        if time.monotonic() >= deadline:
            break
        time.sleep(POLL_S)
    if stuck is not None:
        raise BoardError(
            f"{board.name} stays in its bootloader ({stuck.usb_id} on {stuck.port}) {seconds:g} s after the upload; "
            f"{board.serial.bootloader_remedy}, then flash again"
        )
    if not port:
        raise BoardError(
            f"{board.name} has not started in {seconds:g} s after the copy; {board.serial.bootloader_remedy}, then "
            "flash again; or give its --port, which has no USB id that tinyproof knows"
        )
    raise BoardError(
        f"{board.name} was on {port} and has not come back in {seconds:g} s; press reset, or unplug it and plug it in"
    )


def _same(plugged: Plugged, before: Plugged | None, board: Board) -> bool:
    if before and before.serial_number and plugged.serial_number:
        return plugged.serial_number == before.serial_number
    return bool(ports_of(board, [plugged]))


def confirm(board: Board, model_id: str, port: str, config: CheckConfig) -> Info:
    """What the board says of itself. Raises BoardError unless it runs `model_id`."""
    with open_client(board, port, config) as (_, info):
        if info.model != model_id:
            raise BoardError(
                f"the upload went through, but {board.name} on {port} still runs model {info.model}, not {model_id}; "
                "press reset and run ./tinyproof flash again; where it still does, its flash is locked"
            )
        return info
