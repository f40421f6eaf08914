# SPDX-License-Identifier: Apache-2.0
"""Why a serial port does not open, in one line with the remedy: the same words whoever wanted to open it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tinyproof.core.errors import BoardError

FORBIDDEN = "port {port}: permission denied; join its group (sudo usermod -aG dialout $USER) and log in again"


def port_fault(name: str, error: Exception) -> str:
    """What is wrong with port `name`, which pyserial or the system refused with `error`."""
    text = str(error)
    number = getattr(error, "errno", None)
    if "exclusively lock" in text or number in (errno.EBUSY, errno.EAGAIN):
        return f"port {name} is busy: another program holds it; close it (a serial monitor, ModemManager) and try again"
    if "PermissionError(13" in text and number is None:  # how pyserial puts it on Windows, of a port that is held
        return f"port {name} is busy: another program holds it; close it (a serial monitor, the IDE) and try again"
    if number == errno.EACCES:
        return FORBIDDEN.format(port=name)
    if "://" in name:
        return f"port {name} does not answer: {_last_words(text)}; is a board or `./tinyproof simulate` behind it?"
    if number == errno.ENOENT or not Path(name).exists():
        from serial.tools import list_ports

        present = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
        return f"port {name} is absent (ports here: {present}); plug the board in, or give --port"
    return f"port {name} cannot be opened: {_last_words(text)}; is it a serial port?"


def require_port(name: str) -> None:
    """Raises BoardError for a device file that is absent, forbidden or none, without opening it, which resets some
    boards. Of a COM port and a URL nothing is known before."""
    if os.name != "posix" or "://" in name:
        return
    fault: OSError | None = None
    if not os.path.exists(name):  # noqa: PTH110 (Path("") is the folder we are in)
        fault = FileNotFoundError(errno.ENOENT, "")
    elif not os.access(name, os.R_OK | os.W_OK):
        fault = PermissionError(errno.EACCES, "")
    elif not Path(name).is_char_device():
        fault = OSError(errno.ENOTTY, "it is no device")
    if fault is not None:
        raise BoardError(port_fault(name or "''", fault))


def _last_words(text: str) -> str:
    return text.rsplit("] ", 1)[-1].strip().rstrip(".")[:120]
