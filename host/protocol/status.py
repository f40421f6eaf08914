# SPDX-License-Identifier: Apache-2.0
"""The one table that puts the device's error codes into words; the codes are firmware/lib/protocol/protocol.h's."""

from __future__ import annotations

SYNTAX = 1
CRC = 2
RANGE = 3
LENGTH = 4
STATE = 5
ENGINE = 6

# Code -> (the word that the device sends, what it means for the person at the host).
CODES: dict[int, tuple[str, str]] = {
    SYNTAX: ("syntax", "the device does not know this verb or cannot read its arguments"),
    CRC: ("crc", "the request arrived damaged"),
    RANGE: ("range", "a value or an offset is outside what the model takes"),
    LENGTH: ("length", "the line is too long, or has too many or too few values"),
    STATE: ("state", "the request needs another one before it, such as a load"),
    ENGINE: ("engine", "the inference engine could not start or failed"),
}


def explain(code: int) -> str:
    """`error 3 range: a value …`, also for a code that no version of the protocol has."""
    word, meaning = CODES.get(code, ("unknown", "protocol version 1 has no such code"))
    return f"error {code} {word}: {meaning}"
