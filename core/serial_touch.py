# SPDX-License-Identifier: Apache-2.0
"""The touch that Arduino's cores take as a wish for the bootloader: a port opened and closed at 1200 baud."""

from __future__ import annotations

from tinyproof.core.errors import BoardError

TOUCH_BAUD = 1200


def touch(port: str) -> None:
    """Opens and closes `port`. Raises BoardError where it cannot be opened."""
    import serial

    try:
        with serial.Serial(port, TOUCH_BAUD) as opened:
            opened.dtr = False
    except (serial.SerialException, OSError) as error:
        if isinstance(error, serial.SerialException) or error.errno is None:
            raise BoardError(
                f"port {port} cannot be opened: is it the board's, and has another program let it go?"
            ) from error
        # Gone while it was being closed: that is what was asked of it.
