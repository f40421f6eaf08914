# SPDX-License-Identifier: Apache-2.0
"""What others wrote, in messages of ours: names in a file, words of a library. No terminal shall obey them."""

from __future__ import annotations

_REASON_CHARACTERS = 120


def escaped(text: str) -> str:
    """In printable ASCII, on one line: everything else as Python would write it between quotes."""
    return ascii(text)[1:-1]


def reason(error: Exception) -> str:
    """The first line of what a library says of a damaged file, cut; its kind where it says nothing."""
    return escaped((str(error).splitlines() or [type(error).__name__])[0][:_REASON_CHARACTERS])
