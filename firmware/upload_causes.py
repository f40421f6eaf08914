# SPDX-License-Identifier: Apache-2.0
"""Why an upload failed, in one line: esptool's and bossac's words in ours, with what to press or plug."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyproof.core.board_spec import Board


@dataclass(frozen=True)
class Cause:
    """`pattern`: what the program says; `words`: what a user is told, with {name} of the board, {port}, {loader} (how a
    hand starts its bootloader) and the pattern's own groups."""

    pattern: re.Pattern[str]
    words: str

    @classmethod
    def of(cls, pattern: str, words: str) -> Cause:
        """In any case, over lines."""
        return cls(re.compile(pattern, re.IGNORECASE), words)


GONE = "{name} went away from {port} in the middle of the upload; plug it in again, with another cable, and flash again"
STUCK = "the upload to {name} on {port} does not come to an end; {loader}, and flash again"
HELD = "port {port} cannot be opened; close what holds it (a serial monitor), or plug {name} in, and flash again"
_MISMATCH = (
    "{name} has something else in its flash than was written to it; plug it into another socket, with a shorter cable, "
    "and flash again; where that stays so, its flash is worn out"
)

# The first that fits counts; esptool 4 and 5, bossac 1.9.1 and Arduino's 1.9.1-arduino2.
CAUSES = {
    "esptool": (
        Cause.of(
            r"This chip is (?P<is>[\w-]+),? not (?P<asked>[\w-]+)",
            "the chip on {port} is an {is}, and {name} has an {asked}; name its board with --board, or another port",
        ),
        Cause.of(
            r"(?:is not an? (?P<asked>[\w-]+) image|Unexpected chip ID in image)",
            "the firmware is not one for the chip of {name}; ./tinyproof build --board {name} and flash again",
        ),
        Cause.of(
            r"will not fit in (?P<bytes>\d+) bytes of flash",
            "the board on {port} has {bytes} bytes of flash, into which the firmware of {name} does not fit; take a "
            "smaller model, or a board with a larger flash",
        ),
        Cause.of(r"MD5 of file does not match|written flash region is empty", _MISMATCH),
        Cause.of(
            r"Lost connection|Serial data stream stopped|device disconnected|readiness to read but returned no data|"
            r"write failed: |Input/output error|Device not configured|ClearCommError|The chip stopped responding|"
            r"Writing at (?:.|\n)*could not open port",
            GONE,
        ),
        Cause.of(r"could not (?:open|exclusively lock) port|port is busy|doesn't exist|No such file or dir", HELD),
        Cause.of(
            r"Failed to connect|No serial data received|Invalid head of packet|Wrong boot mode|Timed out waiting",
            "{name} on {port} does not answer esptool; {loader}, and flash again",
        ),
    ),
    "bossac": (
        Cause.of(
            r"Device unsupported|Unsupported device",
            "bossac does not know the chip on {port}; is that {name}? Of a Nano 33 BLE only Arduino's bossac knows it, "
            "which PlatformIO fetches, not Debian's",
        ),
        Cause.of(
            r"Flash (?:command|region|erase|page)|region is locked|lock bit",
            "{name} refuses to have its flash written, which is locked; bossac --port {port} --unlock lets go of it, "
            "then {loader} and flash again",
        ),
        Cause.of(r"File size exceed|FileSize|too large", "the firmware does not fit into the flash of {name}"),
        Cause.of(r"Verify failed", _MISMATCH),
        Cause.of(
            r"No device found on|No serial ports|SAM-BA operation failed",
            "{name} on {port} does not answer bossac; {loader}, and flash again",
        ),
    ),
}


def cause_of(board: Board, port: str, output: str) -> str:
    """The words of the first cause that the `output` of the board's uploader names, "" where it names none."""
    for cause in CAUSES.get(board.serial.uploader, ()):
        if match := cause.pattern.search(output):
            return in_words(cause.words, board, port, **match.groupdict())
    return ""


def in_words(words: str, board: Board, port: str, **more: str) -> str:
    """`words` with their names filled in."""
    return words.format(name=board.name, port=port, loader=board.serial.loader_remedy, **more)
