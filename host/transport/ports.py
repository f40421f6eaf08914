# SPDX-License-Identifier: Apache-2.0
"""Opens a board's port with pyserial's `serial_for_url`: a device file, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.

What a kind of board needs of its port is its policy, read from the board file's [serial] table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import serial

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.core.port_faults import port_fault

READ_BYTES = 4096
WRITE_S = 1.0  # at least, to take some bytes: a busy machine keeps us waiting for ourselves


@dataclass(frozen=True)
class PortPolicy:
    """`dtr`, `rts`: the level to open with; None leaves pyserial's. `settle_s`: quiet time a board needs after opening.

    `boot_s`: how long a board that resets when its port opens may take until it answers.
    """

    baud: int = 115200
    dtr: bool | None = None
    rts: bool | None = None
    settle_s: float = 0.0
    boot_s: float = 0.0


def policy_of(board: Board) -> PortPolicy:
    """What of the board's [serial] table concerns its port."""
    serial = board.serial
    return PortPolicy(serial.baud, serial.dtr, serial.rts, serial.settle_s, serial.boot_s)


def open_port(name: str, policy: PortPolicy, timeout_s: float) -> Any:
    """An open pyserial object whose read returns at once with what is there.

    Raises UsageError for a URL that pyserial does not know, BoardError when the port is absent, busy or forbidden.
    """
    try:
        port = serial.serial_for_url(name, do_not_open=True, baudrate=policy.baud)
        port.timeout = 0  # never changed later: on a device file each change is a system call that reconfigures it
        if not name.startswith("rfc2217://"):  # which refuses to be opened with one
            port.write_timeout = max(timeout_s, WRITE_S)
        if "://" not in name:
            port.exclusive = True
        if policy.dtr is not None:
            port.dtr = policy.dtr
        if policy.rts is not None:
            port.rts = policy.rts
        port.open()
    except (ValueError, AttributeError, TypeError, ImportError) as error:
        raise UsageError(
            f"port {name!r}: {error}; use a device file, a COM port, socket://HOST:PORT or rfc2217://HOST:PORT"
        ) from error
    except (serial.SerialException, OSError) as error:
        raise BoardError(port_fault(name, error)) from error
    return port


def close_port(port: Any) -> None:
    """Closes `port` for certain, without the 0.3 s that pyserial sleeps after closing a socket.

    pyserial leaves a socket open when the peer went first: its shutdown fails, and its close is never reached.
    """
    raw = getattr(port, "_socket", None)
    if raw is not None and type(port).__module__.endswith("protocol_socket"):
        raw.close()
        port._socket = None
        port.is_open = False
        return
    try:
        port.close()
    except (serial.SerialException, OSError):  # unplugged meanwhile: there is nothing left to close
        return
