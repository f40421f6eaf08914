# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive us: an emulator, or the reference device."""

from __future__ import annotations

import os
import subprocess
import tempfile
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tinyproof.core.errors import BoardError, EnvironmentFaultError
from tinyproof.core.parent_death import die_with_parent

STOP_S = 2.0


class Child:
    """A process that is stopped and reaped when the context ends, and that the kernel stops should we be killed.

    Linux ends it also with the thread that started it: start it in the thread that uses it.
    """

    def __init__(
        self,
        command: list[str],
        pass_fds: tuple[int, ...] = (),
        stdout: int = subprocess.DEVNULL,
        *,
        joined: bool = False,
    ) -> None:
        """`joined`: stderr goes where stdout does, and the reader of that knows the last words, `epitaph` does not.

        Raises OSError when the program cannot be started.
        """
        # Deleted while open: nothing to clean up, and no pipe that a chatty child could fill and block on.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT if joined else self._stderr,
                pass_fds=pass_fds,
                process_group=0 if os.name == "posix" else None,  # Ctrl-C is for us; we stop the child
                preexec_fn=die_with_parent(),
            )
        except BaseException:
            self._stderr.close()
            raise

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def ended_within(self, seconds: float) -> bool:
        """Whether it has ended, or does so within `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Ends the process, gently first, and reaps it. May be called again."""
        if self.running():
            self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._stderr.close()

    def epitaph(self) -> str:
        """How it ended and the last line it wrote to stderr, on one line; only before `stop`."""
        self._stderr.seek(0)
        lines = self._stderr.read()[-4000:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing to stderr")
        return f"exit status {self.process.returncode}: {last[:200]}"


class BoardProcess(ABC):
    """A board that is a process of this machine. A context manager that always reaps it, and that explains a board's
    silence by the process's end where it has ended."""

    child: Child

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, BoardError) and (fault := self.fault()) is not None:
                raise fault from error
        finally:
            self.close()

    def fault(self) -> EnvironmentFaultError | None:
        """What it died of, or None while it runs."""
        if not self.child.ended_within(0.2):  # its socket closes a moment before it can be reaped
            return None
        return EnvironmentFaultError(self.obituary(self.child.epitaph()))

    @abstractmethod
    def obituary(self, how: str) -> str:
        """The message for the user."""

    def close(self) -> None:
        """Stops the process; the port is gone with it."""
        self.child.stop()
