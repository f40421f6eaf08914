# SPDX-License-Identifier: Apache-2.0
"""The process beside the boards: `python -m tinyproof.host.fleet.shelf FOLDER`, which `tinyproof fleet up` starts.

It has the boards, and runs labgrid's exporter, which it starts anew when that dies, and the coordinator where that is
to be on this machine. FOLDER/shelf.json says what it offers, and FOLDER/fleet.json, once it can be had, where. When it
ends, however it ends, all that it has started ends, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from tinyproof.core.board_spec import find_board
from tinyproof.core.converter import read_json, structure
from tinyproof.core.errors import BoardError, EnvironmentFaultError, TinyproofError
from tinyproof.core.files import write_at_once
from tinyproof.host.fleet.coordinator import Coordinator
from tinyproof.host.fleet.daemon_lock import held
from tinyproof.host.fleet.environment import PROGRAMS
from tinyproof.host.fleet.place_ports import BehindPlace, PlacePorts, SimulatedBoard
from tinyproof.host.fleet.real_board import RealBoard
from tinyproof.host.fleet.state import READY_S, STATE, WANTED, Offer, ShelfPlan, State
from tinyproof.host.targets.child_process import Child

AGAIN_S = 1.0  # before a program that has died is started anew
KEPT_LINES = 20  # of what a program says, for when it dies


class LabgridProgram:
    """A child of labgrid's, whose last lines are kept and whose others are dropped: it runs for months."""

    def __init__(self, command: list[str], pass_fds: tuple[int, ...] = ()) -> None:
        self.child = Child(command, pass_fds, subprocess.PIPE, joined=True)
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.process.stdout is not None
        with contextlib.suppress(ValueError):  # closed by `stop`
            for line in self.child.process.stdout:
                with self._said:
                    self.lines.append(line.decode("utf-8", "replace").rstrip())
                    self._said.notify_all()

    def await_line(self, start: str) -> str:
        """The line that begins with `start`. Raises EnvironmentFaultError where it does not come."""
        deadline = time.monotonic() + READY_S
        with self._said:
            while not (found := [line for line in self.lines if line.startswith(start)]):
                if not self.child.running() or time.monotonic() > deadline:
                    raise EnvironmentFaultError(self.last_words())
                self._said.wait(0.1)
        return found[0]

    def last_words(self) -> str:
        """The last line that it has said."""
        return next((line for line in reversed(self.lines) if line.strip()), "it said nothing")

    def kill(self) -> None:
        """Ends it at once: it has nothing to save."""
        self.child.process.kill()
        self.child.stop()


class Shelf:
    """The boards, and the programs that offer them."""

    def __init__(self, wanted: ShelfPlan, folder: Path) -> None:
        self.wanted, self.folder = wanted, folder
        self.offers = {offer.place: offer for offer in wanted.offers}
        self.open: dict[str, PlacePorts] = {}
        self.closed: dict[str, PlacePorts] = {}  # the last of each place, which may not be done with its board yet
        self.coordinator: LabgridProgram | None = None
        self.exporter: LabgridProgram | None = None
        self.address = wanted.coordinator
        self.stopping = False
        # Under which name others reach us is theirs to resolve: where it is not the loopback, ports open everywhere.
        self._bound = "127.0.0.1" if on_loopback(wanted.host) else ""

    def run(self) -> None:
        """Until SIGTERM. Raises EnvironmentFaultError where labgrid cannot be started."""
        try:
            self._start_coordinator()
            self._start_exporter()
            self._register()
            state = State(os.getpid(), self.address, self.wanted.name, tuple(self.offers), time.time())
            write_at_once(self.folder / STATE, json.dumps(asdict(state)))
            while not self.stopping:
                time.sleep(AGAIN_S / 4)
                self._look_after()
        finally:
            self._end()

    def _start_coordinator(self) -> None:
        if not self.wanted.listen:
            return
        # A number of its own choice is kept when it is started anew: clients know it by then.
        host, _, number = self.wanted.listen.rpartition(":")
        listen = f"{host}:{self.address.rpartition(':')[2] or number}"
        command = [self.wanted.python, "-P", "-m", "labgrid.remote.coordinator", "-l", listen]
        self.coordinator = LabgridProgram(command)
        try:
            said = self.coordinator.await_line("listening on ")
        except EnvironmentFaultError as error:
            raise EnvironmentFaultError(
                f"no coordinator can be started at {listen}: {_cut(error.message)}; is one there already? "
                f"--coordinator {listen} joins it, --listen HOST:PORT takes another port"
            ) from None
        number = said.rpartition(":")[2]
        self.address = f"{'127.0.0.1' if on_loopback(self.wanted.host) else self.wanted.host}:{number}"

    def _start_exporter(self) -> None:
        ours, theirs = socket.socketpair()
        resources = {
            offer.place: {
                "serial": {
                    "cls": "TinyproofBoard",
                    "place": offer.place,
                    "device": offer.device,
                    "protocol": "rfc2217" if offer.device else "raw",
                    "speed": find_board(offer.board).serial.baud,
                }
            }
            for offer in self.offers.values()
        }
        file = self.folder / "exporter.yaml"
        write_at_once(file, json.dumps(resources, indent=1))  # which is YAML
        command = [
            *(self.wanted.python, "-P", str(PROGRAMS / "exporter.py"), str(theirs.fileno()), "-c", self.address),
            *("-n", self.wanted.name, "--hostname", self.wanted.host, str(file)),
        ]
        with theirs:
            self.exporter = LabgridProgram(command, (theirs.fileno(),))
        threading.Thread(target=self._obey, args=(ours,), daemon=True).start()

    def _obey(self, exporter: socket.socket) -> None:
        """Opens and closes places as the exporter says; when it dies, no lease is left, and all are closed."""
        with exporter, contextlib.suppress(OSError), exporter.makefile("rb") as lines:
            for line in lines:
                request = json.loads(line)
                place = request["place"]
                answer = {}
                if last := self.open.pop(place, None):
                    last.close()
                    self.closed[place] = last
                if request["do"] == "open":
                    behind = self._behind(self.offers[place])
                    ports = self.open[place] = PlacePorts(behind, self._bound, self.closed.pop(place, None))
                    answer = {"serial": ports.serial_port, "flash": ports.flash_port}
                exporter.sendall(json.dumps(answer).encode() + b"\n")
        for place in list(self.open):
            self.closed[place] = self.open.pop(place)
            self.closed[place].close()

    def _behind(self, offer: Offer) -> BehindPlace:
        board = find_board(offer.board)
        return RealBoard(board, offer.device) if offer.device else SimulatedBoard(board)

    def _register(self) -> None:
        """Makes the places, and waits until their boards can be had."""
        deadline = time.monotonic() + READY_S
        with Coordinator(self.address, Path(self.wanted.python)) as fleet:
            for offer in self.offers.values():
                fleet.offer(offer.place, offer.tags, f"{self.wanted.name}/{offer.place}/NetworkSerialPort")
            while missing := self._missing(fleet):
                assert self.exporter is not None
                if time.monotonic() > deadline or not self.exporter.child.running():
                    raise EnvironmentFaultError(
                        f"the exporter does not offer {', '.join(missing)}: {self.exporter.last_words()}"
                    )
                time.sleep(0.05)

    def _missing(self, fleet: Coordinator) -> list[str]:
        """Places that cannot be had yet; a real board may be unplugged, and come later."""
        here = {place.name for place in fleet.places() if place.here}
        return sorted(place for place, offer in self.offers.items() if place not in here and not offer.device)

    def _look_after(self) -> None:
        """Starts anew what has died."""
        if self.coordinator is not None and not self.coordinator.child.running():
            print(f"the coordinator died: {self.coordinator.last_words()}", file=sys.stderr, flush=True)
            time.sleep(AGAIN_S)
            self._start_coordinator()
            self._restart_exporter()
            self._register()
        elif self.exporter is not None and not self.exporter.child.running():
            print(f"the exporter died: {self.exporter.last_words()}", file=sys.stderr, flush=True)
            time.sleep(AGAIN_S)
            self._restart_exporter()

    def _restart_exporter(self) -> None:
        if self.exporter is not None:
            self.exporter.kill()
        self._start_exporter()

    def _end(self) -> None:
        if not self.wanted.listen:
            with contextlib.suppress(TinyproofError):  # it may be the coordinator that has gone
                self._withdraw()
        leased = [*self.open.values(), *self.closed.values()]  # which `_obey` forgets as soon as the exporter has gone
        for program in (self.exporter, self.coordinator):
            if program is not None:
                program.kill()
        for ports in leased:
            ports.close()
            ports.thread.join(5.0)
        (self.folder / STATE).unlink(missing_ok=True)

    def _withdraw(self) -> None:
        """What was offered at a coordinator that is not ours."""
        with Coordinator(self.address, Path(self.wanted.python)) as fleet:
            for place in self.offers:
                with contextlib.suppress(BoardError):
                    fleet.withdraw(place)


def _cut(words: str) -> str:
    """Without what gRPC says of its own variables."""
    return words.partition("; set ")[0]


def on_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it by that name."""
    return host == "localhost" or host.startswith("127.")


def main() -> None:
    """The process itself, in FOLDER."""
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    wanted = structure(read_json(folder / WANTED), ShelfPlan)
    for left in ("places.yaml", "resources.yaml", STATE):  # labgrid's coordinator keeps the first two where it runs
        Path(left).unlink(missing_ok=True)
    shelf = Shelf(wanted, folder)

    def stop(number: int, frame: FrameType | None) -> None:
        shelf.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held(folder):
        try:
            shelf.run()
        except TinyproofError as error:
            print(error.message, file=sys.stderr, flush=True)
            sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
