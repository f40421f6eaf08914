# SPDX-License-Identifier: Apache-2.0
"""Measures how small an arena TFLite Micro can set a model up in.

Too small an arena is an error return in most places of the interpreter, and a null pointer in some: it crashes the
process. So the search runs in a child (`python -m tinyproof.export.tflm_arena LOW HIGH`, the model on stdin), and a
size at which the child dies counts as too small.
"""

from __future__ import annotations

import subprocess
import sys

from tinyproof.core.errors import EnvironmentFaultError

ALIGNMENT = 16
LARGEST_BYTES = 64 << 20
TIMEOUT_S = 120.0


def smallest_arena(tflite: bytes, low: int = 256) -> int:
    """Smallest arena in bytes, a multiple of ALIGNMENT, that AllocateTensors succeeds with on this machine.

    `low` is known to be too small. Raises EnvironmentFaultError when no arena up to LARGEST_BYTES will do.
    """
    high = 0  # smallest size known to be enough; 0: none yet
    while high == 0 or high - low > ALIGNMENT:
        # -P: nothing in the user's folder is imported in place of ours.
        command = [sys.executable, "-P", "-m", "tinyproof.export.tflm_arena", str(low), str(high)]
        done = subprocess.run(command, input=tflite, capture_output=True, timeout=TIMEOUT_S, check=False)
        tried = 0
        for line in done.stdout.decode().splitlines():
            word, size = line.split()
            if word == "try":
                tried = int(size)
            elif word == "enough":
                high, tried = int(size), 0
            else:
                low, tried = int(size), 0
        if done.returncode and not tried:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no word why"]
            raise EnvironmentFaultError(f"TFLite Micro cannot be asked for the model's arena: {last[0]}")
        low = max(low, tried)  # what the child died of
        if high == 0 and low >= LARGEST_BYTES:
            raise EnvironmentFaultError(f"TFLite Micro cannot set this model up in an arena of {LARGEST_BYTES:,} bytes")
    return high


def next_size(low: int, high: int) -> int:
    """What to try between a size that is too small and one that is enough (0: unknown)."""
    return low * 2 if high == 0 else (low + high) // 2 // ALIGNMENT * ALIGNMENT


def _search(low: int, high: int) -> None:
    from tflite_micro import runtime

    tflite = sys.stdin.buffer.read()
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


if __name__ == "__main__":
    _search(int(sys.argv[1]), int(sys.argv[2]))
