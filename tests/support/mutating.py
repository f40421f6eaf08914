# SPDX-License-Identifier: Apache-2.0
"""Seeded damage to a .tflite: what a hostile or broken file could look like while still resembling one."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

EDGES = (0, 1, 2, 3, 4, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4)
FLOATS = (0.0, -0.0, -1.0, 1e-45, 1e-30, 1e-10, 1e10, 3.4e38, float("inf"), float("-inf"), float("nan"))

Mutation = Callable[[bytearray, random.Random], None]


def mutate(content: bytes, seed: int) -> bytes:
    """One to four seeded mutations; the same `seed` gives the same file."""
    source = random.Random(seed)
    mutant = bytearray(content)
    for _ in range(source.choice((1, 1, 1, 2, 2, 3, 4))):
        if not mutant:
            break
        source.choice(_MUTATIONS)(mutant, source)
    return bytes(mutant)


def _place(mutant: bytearray, source: random.Random, size: int) -> int:
    """Weights fill most of a file, and a changed weight is a sound model: half of the places avoid long buffers by
    staying near either end, where converters put tables, shapes and scales."""
    room = max(1, len(mutant) - size)
    reach = min(room, 4096)
    choice = source.random()
    if choice < 0.3:
        return source.randrange(reach)
    if choice < 0.7:
        return room - 1 - source.randrange(reach)
    return source.randrange(room)


def _bit(mutant: bytearray, source: random.Random) -> None:
    mutant[_place(mutant, source, 1)] ^= 1 << source.randrange(8)


def _byte(mutant: bytearray, source: random.Random) -> None:
    mutant[_place(mutant, source, 1)] = source.randrange(256)


def _word(mutant: bytearray, source: random.Random) -> None:
    position = _place(mutant, source, 4) & ~3
    value = source.choice(EDGES) if source.random() < 0.7 else source.randrange(2**32)
    if position + 4 <= len(mutant):
        struct.pack_into("<I", mutant, position, value)


def _small_change(mutant: bytearray, source: random.Random) -> None:
    """A size, an index or an offset that is off by a little."""
    position = _place(mutant, source, 4) & ~3
    if position + 4 <= len(mutant):
        (value,) = struct.unpack_from("<I", mutant, position)
        struct.pack_into("<I", mutant, position, (value + source.randint(-8, 8)) % 2**32)


def _plausible_word(mutant: bytearray, source: random.Random) -> None:
    """Changes a word that looks like a small count, index or dimension: more of those reach past the reader."""
    for _ in range(64):
        position = _place(mutant, source, 4) & ~3
        if position + 4 <= len(mutant) and 0 < struct.unpack_from("<I", mutant, position)[0] < 512:
            struct.pack_into("<I", mutant, position, source.choice((0, 1, 2, 3, 5, 8, 16, 64, 100, 1000, 2**20, 2**31)))
            return


def _scale(mutant: bytearray, source: random.Random) -> None:
    """Changes a word that looks like a scale: a float between 1e-8 and 100."""
    for _ in range(64):
        position = _place(mutant, source, 4) & ~3
        if position + 4 <= len(mutant) and 1e-8 < struct.unpack_from("<f", mutant, position)[0] < 100:
            value = source.choice(FLOATS) if source.random() < 0.5 else 2.0 ** source.uniform(-40, 20)
            struct.pack_into("<f", mutant, position, value)
            return


def _copy(mutant: bytearray, source: random.Random) -> None:
    """Bytes of one place over another's: valid structure where another is expected."""
    size = source.choice((4, 8, 16, 32, 64))
    if len(mutant) > size:
        start, end = _place(mutant, source, size), _place(mutant, source, size)
        mutant[end : end + size] = mutant[start : start + size]


def _truncate(mutant: bytearray, source: random.Random) -> None:
    del mutant[source.randrange(len(mutant)) :]


def _insert_or_delete(mutant: bytearray, source: random.Random) -> None:
    position = _place(mutant, source, 4)
    if source.random() < 0.5:
        mutant[position:position] = source.randbytes(source.choice((1, 4, 8)))
    else:
        del mutant[position : position + source.choice((1, 4, 8))]


# Structure counts more than noise: most mutations keep the file's layout.
_MUTATIONS: tuple[Mutation, ...] = (
    *(_bit, _byte, _word, _small_change, _copy),
    *(_plausible_word,) * 4,
    *(_scale,) * 3,
    *(_small_change, _truncate, _insert_or_delete),
)
