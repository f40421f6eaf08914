# SPDX-License-Identifier: Apache-2.0
"""The kinds of faults, and how many of each a sample has."""

from __future__ import annotations

from collections.abc import Sequence

# Kinds, in the order of the table, with the share of all faults that each is to have, where it has so many.
BITS = {"weights": 24, "biases": 10, "multipliers": 10, "shifts": 6, "zero points": 4, "clamps": 5, "tables": 5}
STRUCTURE = {"channels": 8, "strides": 3, "pads": 3, "bounds": 6, "arena": 4}
CODE = {"rounding": 1, "kernels": 9, "removed": 2}
FIRMWARE = {"firmware": 0}  # all there are
KINDS = BITS | STRUCTURE | CODE | FIRMWARE

WHAT = {
    "weights": "a bit of a weight flipped",
    "biases": "a bit of a bias flipped",
    "multipliers": "a bit of a rescaling's multiplier flipped",
    "shifts": "a bit of a rescaling's shift flipped",
    "zero points": "a bit of a zero point flipped",
    "clamps": "a bit of a clamp flipped",
    "tables": "a bit of any other table flipped",
    "channels": "two channels swapped, or one that computes nothing",
    "strides": "a stride or a dilation off by one",
    "pads": "a padding off by one",
    "bounds": "a size or a count off by one",
    "arena": "a tensor where another one lies",
    "rounding": "another way to round",
    "kernels": "an operator, a bound or a constant in a kernel's source",
    "removed": "a channel left out that the answers depend on",
    "firmware": "another model's, another board's or a stale firmware",
}


def quotas(count: int, room: dict[str, int]) -> dict[str, int]:
    """How many faults of each kind make `count`, by the shares above. `room`: how many there are of a kind at most;
    what one has not, the others take."""
    found = dict.fromkeys(room, 0)
    left = count
    while left > 0 and (open_ones := [kind for kind in room if found[kind] < room[kind] and KINDS[kind]]):
        total = sum(KINDS[kind] for kind in open_ones)
        given = {kind: min(room[kind] - found[kind], left * KINDS[kind] // total) for kind in open_ones}
        if not any(given.values()):
            given = _one_each(open_ones, left)
        for kind, more in given.items():
            found[kind] += more
        left -= sum(given.values())
    return found


def _one_each(kinds: Sequence[str], left: int) -> dict[str, int]:
    by_share = sorted(kinds, key=lambda kind: -KINDS[kind])
    return dict.fromkeys(by_share[:left], 1)
