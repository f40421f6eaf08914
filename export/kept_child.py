# SPDX-License-Identifier: Apache-2.0
"""A child process that loads a large library once, and is kept for the next question: a crash of the library is then
the child's, and loading it takes longer than most questions."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import tempfile

STOP_S = 5.0


class KeptChild:
    """`python -P -m MODULE`, which answers lines on stdin by lines on stdout until stdin ends."""

    def __init__(self, module: str) -> None:
        # -P: nothing in the user's folder is imported in place of ours.
        command = [sys.executable, "-P", "-m", module]
        # A file never fills up, as a pipe that nobody reads does.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the child
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ask(self, question: bytes, last: bytes = b"") -> list[bytes]:
        """Lines of the reply, up to the line `last`, or one; without it, as far as it came, where the child died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        lines: list[bytes] = []
        try:
            with contextlib.suppress(BrokenPipeError):  # it died: what it has said tells how far it came
                self._process.stdin.write(question)
                self._process.stdin.flush()
            while (line := self._process.stdout.readline()).endswith(b"\n"):
                lines.append(line)
                if not last or line == last:
                    return lines
            self._process.wait()
        except BaseException:  # Ctrl-C: its reply must not be taken for that to the next question
            self.stop(now=True)
            raise
        return lines

    def how_it_ended(self) -> int:
        """The exit code of one that does not run, or minus the signal's number."""
        return self._process.wait()

    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        self._said.seek(0)
        return (self._said.read().decode(errors="replace").strip().splitlines() or ["no word why"])[-1]

    def kill(self) -> None:
        """From another thread, while a question waits."""
        self._process.kill()

    def stop(self, *, now: bool = False) -> None:
        """Ends it, or lets it end."""
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=0 if now else STOP_S)
        if self.runs:
            self._process.kill()
            self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._said):
            with contextlib.suppress(OSError):  # a request that nobody read
                assert file is not None
                file.close()


_kept: dict[str, KeptChild] = {}


def kept_child(module: str) -> KeptChild:
    """The one that runs, or a new one."""
    child = _kept.get(module)
    if child is None or not child.runs:
        if child is not None:
            child.stop()
        child = _kept[module] = KeptChild(module)
    return child


@atexit.register
def _stop_all() -> None:
    for child in _kept.values():
        child.stop()
