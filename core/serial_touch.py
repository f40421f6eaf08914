# SPDX-License-Identifier: Apache-2.0
"""The touch that Arduino's cores take as a wish for the bootloader: a port opened and closed at 1200 baud."""

from __future__ import annotations

import contextlib

from tinyproof.core.errors import BoardError
from tinyproof.core.port_faults import port_fault

TOUCH_BAUD = 1200


def touch(port: str) -> None:
    """Opens and closes `port`. Raises BoardError where it cannot be opened, or another program has it for itself."""
    import serial

    gone: tuple[type[Exception], ...] = (OSError,)
    with contextlib.suppress(ImportError):
        import termios  # not on Windows

        gone = (OSError, termios.error)  # which is none
    try:
        with serial.Serial(port, TOUCH_BAUD, exclusive=True) as opened:
            opened.dtr = False
    except serial.SerialException as error:
        raise BoardError(port_fault(port, error)) from error
    except gone:
        return  # while it was being closed: that is what was asked of it
