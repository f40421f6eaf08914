# SPDX-License-Identifier: Apache-2.0
"""What came in while an answer was awaited, in words."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.host.protocol.framing import show


@dataclass
class ReceivedBytes:
    """What came in while an answer was awaited: the material of an error that says what happened."""

    count: int = 0  # bytes
    lines: int = 0
    damaged: int = 0
    stale: int = 0
    crc_errors: int = 0
    banners: int = 0
    one_late: bool = False  # an answer to the request before came
    last: bytes = b""

    def describe(self) -> str:
        """In words, for an error message."""
        if self.count == 0:
            return "not one byte came"
        if self.lines == 0:
            return f"{self.count} bytes came, no line among them that ends"
        parts = [
            f"{self.damaged} unreadable or damaged lines (last: {show(self.last)})" if self.damaged else "",
            f"{self.stale} answers to other requests" if self.stale else "",
            f"{self.crc_errors} complaints that the request arrived damaged" if self.crc_errors else "",
            f"{self.banners} boot banners (does the board reset?)" if self.banners else "",
        ]
        return f"{self.count} bytes came: " + (", ".join(part for part in parts if part) or "empty lines only")
