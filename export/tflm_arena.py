# SPDX-License-Identifier: Apache-2.0
"""Measures how small an arena TFLite Micro can set a model up in.

Too small an arena is an error return in most places of the interpreter, and a null pointer in some: it crashes the
process. So the search runs in a child (`python -m tinyproof.export.tflm_arena`: a line LOW HIGH SIZE and the model on
stdin), and a size at which the child dies counts as too small.
"""

from __future__ import annotations

import sys
from threading import Event, Timer

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.export.kept_child import KeptChild, kept_child

MODULE = "tinyproof.export.tflm_arena"
DONE = b"done\n"
ALIGNMENT = 16
LARGEST_BYTES = 64 << 20
TIMEOUT_S = 120.0


def smallest_arena(tflite: bytes, low: int = 256) -> int:
    """Smallest arena in bytes, a multiple of ALIGNMENT, that AllocateTensors succeeds with on this machine.

    `low` is known to be too small. Raises EnvironmentFaultError when no arena up to LARGEST_BYTES will do, or the
    interpreter does not answer.
    """
    high = 0  # smallest size known to be enough; 0: none yet
    while high == 0 or high - low > ALIGNMENT:
        child, tried = kept_child(MODULE), 0
        for word, size in _ask(child, tflite, low, high):
            if word == "try":
                tried = size
            elif word == "enough":
                high, tried = size, 0
            else:
                low, tried = size, 0
        if not tried and not child.runs:
            raise EnvironmentFaultError(f"TFLite Micro cannot be asked for the model's arena: {child.last_words()}")
        low = max(low, tried)  # what the child died of
        if high == 0 and low >= LARGEST_BYTES:
            raise EnvironmentFaultError(f"TFLite Micro cannot set this model up in an arena of {LARGEST_BYTES:,} bytes")
    return high


def _ask(child: KeptChild, tflite: bytes, low: int, high: int) -> list[tuple[str, int]]:
    """What it tried and found, as far as it came."""
    hung = Event()

    def give_up() -> None:
        hung.set()
        child.kill()

    limit = Timer(TIMEOUT_S, give_up)
    limit.start()
    try:
        lines = child.ask(f"{low} {high} {len(tflite)}\n".encode() + tflite, last=DONE)
    finally:
        limit.cancel()
    if hung.is_set():
        raise EnvironmentFaultError(f"TFLite Micro did not set this model up within {TIMEOUT_S:g} s")
    found = [line.decode().split() for line in lines if line != DONE]
    return [(word, int(size)) for word, size in found]


def next_size(low: int, high: int) -> int:
    """What to try between a size that is too small and one that is enough (0: unknown)."""
    return low * 2 if high == 0 else (low + high) // 2 // ALIGNMENT * ALIGNMENT


def _search(tflite: bytes, low: int, high: int) -> None:
    from tflite_micro import runtime

    while (high == 0 and low < LARGEST_BYTES) or high - low > ALIGNMENT:
        size = next_size(low, high)
        print("try", size, flush=True)
        try:
            runtime.Interpreter.from_bytes(tflite, arena_size=size)
        except RuntimeError:
            low = size
            print("small", size, flush=True)
        else:
            high = size
            print("enough", size, flush=True)
    print(DONE.decode(), end="", flush=True)


def _serve() -> None:
    while request := sys.stdin.buffer.readline():
        low, high, size = map(int, request.split())
        _search(sys.stdin.buffer.read(size), low, high)


if __name__ == "__main__":
    _serve()
