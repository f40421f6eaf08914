# SPDX-License-Identifier: Apache-2.0
"""Measures how small an arena TFLite Micro can set a model up in.

Too small an arena is an error return in most places of the interpreter, and a null pointer in some: it crashes the
process. So the search runs in a child (`python -m tinyproof.export.tflm_arena`: a line LOW HIGH SIZE and the model on
stdin), and a size at which the child dies counts as too small. One that lives is kept for the next model: loading the
interpreter takes longer than the search.
"""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import tempfile
from threading import Timer

from tinyproof.core.errors import EnvironmentFaultError

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
        if not _children or _children[-1].died():
            _stop()
            _children[:] = [_ArenaChild()]
        child, tried = _children[-1], 0
        for word, size in child.search(tflite, low, high):
            if word == "try":
                tried = size
            elif word == "enough":
                high, tried = size, 0
            else:
                low, tried = size, 0
        if not tried and child.died():
            raise EnvironmentFaultError(f"TFLite Micro cannot be asked for the model's arena: {child.last_words()}")
        low = max(low, tried)  # what the child died of
        if high == 0 and low >= LARGEST_BYTES:
            raise EnvironmentFaultError(f"TFLite Micro cannot set this model up in an arena of {LARGEST_BYTES:,} bytes")
    return high


class _ArenaChild:
    def __init__(self) -> None:
        # -P: nothing in the user's folder is imported in place of ours.
        command = [sys.executable, "-P", "-m", "tinyproof.export.tflm_arena"]
        # A file never fills up, as a pipe that nobody reads does.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the child
        self._hung = False
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)

    def search(self, tflite: bytes, low: int, high: int) -> list[tuple[str, int]]:
        """What it tried and found, as far as it came."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        found: list[tuple[str, int]] = []
        limit = Timer(TIMEOUT_S, self._give_up)
        limit.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it died: what it says tells how far it came
                self._process.stdin.write(f"{low} {high} {len(tflite)}\n".encode() + tflite)
                self._process.stdin.flush()
            while (line := self._process.stdout.readline()) and line != b"done\n":
                word, size = line.decode().split()
                found.append((word, int(size)))
            if not line:
                self._process.wait()
        except BaseException:  # Ctrl-C: its answer must not be taken for that to the next question
            self.stop()
            raise
        finally:
            limit.cancel()
        if self._hung:
            raise EnvironmentFaultError(f"TFLite Micro did not set this model up within {TIMEOUT_S:g} s")
        return found

    def _give_up(self) -> None:
        self._hung = True
        self._process.kill()

    def died(self) -> bool:
        return self._process.poll() is not None

    def last_words(self) -> str:
        self._said.seek(0)
        return (self._said.read().decode(errors="replace").strip().splitlines() or ["no word why"])[-1]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._said):
            with contextlib.suppress(OSError):  # a request that nobody read
                assert file is not None
                file.close()


_children: list[_ArenaChild] = []


@atexit.register
def _stop() -> None:
    for child in _children:
        child.stop()


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
    print("done", flush=True)


def _serve() -> None:
    while request := sys.stdin.buffer.readline():
        low, high, size = map(int, request.split())
        _search(sys.stdin.buffer.read(size), low, high)


if __name__ == "__main__":
    _serve()
