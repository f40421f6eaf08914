# SPDX-License-Identifier: Apache-2.0
"""A fleet of this machine's own for tests: its coordinator on a free port, its state in a folder of the test's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyproof.host.fleet import daemons
from tinyproof.host.fleet.coordinator import Coordinator
from tinyproof.host.fleet.environment import labgrid_python
from tinyproof.host.fleet.state import Offer, ShelfPlan, State

BOARD = "qemu-cortex-m4"
PATIENCE_S = 30.0
# A program that has a place until it is killed; says the number of its client of labgrid's.
HOLD = """
import sys, time
from pathlib import Path
from tinyproof.host.fleet.coordinator import Coordinator
with Coordinator(sys.argv[1], Path(sys.argv[2])) as fleet, fleet.lease(sys.argv[3]):
    print(fleet.process.pid, flush=True)
    time.sleep(600)
"""


class RunningFleet:
    """What a test needs to know of it."""

    def __init__(self, state: State, python: Path, folder: Path) -> None:
        self.state, self.python, self.folder = state, python, folder
        self.address = state.coordinator

    @property
    def environment(self) -> dict[str, str]:
        """For programs that are to find it by themselves."""
        return {**os.environ, "XDG_STATE_HOME": str(self.folder)}

    def client(self) -> Coordinator:
        return Coordinator(self.address, self.python)

    def process(self, word: str) -> int:
        """The number of the shelf's child with `word` in its command."""
        return next(pid for pid, command in children(self.state.pid).items() if word in command)

    def processes(self) -> dict[str, int]:
        """The numbers of the programs that it is made of."""
        return {
            "coordinator": self.process("remote.coordinator"),
            "exporter": self.process("exporter.py"),
            "shelf": self.state.pid,
        }

    def hold(self, place: str) -> tuple[subprocess.Popen[str], int]:
        """A program that has `place`, and the number of its client of labgrid's."""
        holder = subprocess.Popen(
            [sys.executable, "-P", "-c", HOLD, self.address, str(self.python), place], stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        return holder, int(holder.stdout.readline())

    def await_state(self, fits: Callable[[Coordinator], bool]) -> None:
        """Until the coordinator says so."""
        deadline = time.monotonic() + PATIENCE_S
        with self.client() as fleet:
            while not fits(fleet):
                assert time.monotonic() < deadline, fleet.places()
                time.sleep(0.05)

    def await_all(self, *, held: bool = False) -> None:
        """Until all places are there, and held or free."""

        def fits(fleet: Coordinator) -> bool:
            places = fleet.places()
            names = {place.name for place in places if place.here and bool(place.held_by) == held}
            return names == set(self.state.places)

        self.await_state(fits)

    def tinyproof(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in a user's folder."""
        command = [sys.executable, "-P", "-m", "tinyproof", *arguments]
        return subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def start(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tinyproof", *arguments],
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def resident_kb(pid: int) -> int:
    """The memory that a process takes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def children(parent: int) -> dict[int, str]:
    """Number and command of each process that `parent` has started."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):  # not a process, or gone meanwhile
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


@contextlib.contextmanager
def running_fleet(folder: Path, offers: tuple[Offer, ...]) -> Iterator[RunningFleet]:
    """From up to down. labgrid's environment is made where it is missing, as for a user."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    try:
        python = labgrid_python(print)
        plan = ShelfPlan("bench", str(python), "127.0.0.1", "127.0.0.1:0", "", offers)
        yield RunningFleet(daemons.up(plan), python, folder)
    finally:
        try:
            if daemons.state() is not None:
                daemons.down()
        finally:
            if before is None:
                del os.environ["XDG_STATE_HOME"]
            else:
                os.environ["XDG_STATE_HOME"] = before


def copies(count: int) -> tuple[Offer, ...]:
    """So many places of the same simulated board."""
    return tuple(Offer(f"m4-{number}", BOARD) for number in range(count))
