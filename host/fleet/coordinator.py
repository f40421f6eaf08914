# SPDX-License-Identifier: Apache-2.0
"""A coordinator as this process sees it: places, and leases on them, through a client that labgrid's Python runs."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from tinyproof.core.errors import BoardError, EnvironmentFaultError
from tinyproof.host.fleet.environment import PROGRAMS

MARK = ".tinyproof-"  # as in labgrid_side/agent.py
EXPLAINED_S = 1.0  # a line that closes is noticed before the coordinator has said why
STOP_S = 12.0  # a client that is told to end releases what it holds first


@dataclass(frozen=True)
class Place:
    """`since`: seconds since 1970 by the coordinator's clock. `here`: its exporter is connected, and the board there.
    `device`: the file of a real board at its exporter."""

    name: str
    tags: Mapping[str, str]
    held_by: str | None
    since: float | None
    exporter: str
    here: bool
    device: str = ""

    @property
    def board(self) -> str:
        """The board's name, "" where nobody has said it."""
        return self.tags.get("board", "")

    @property
    def simulated(self) -> bool:
        """Whether an emulator stands there."""
        return self.tags.get("simulated") == "yes"


@dataclass(frozen=True)
class Waiting:
    """What a place is waited for. `before`: how many wait for it who came earlier."""

    held_by: str | None
    since: float | None
    before: int


@dataclass
class Lease:
    """A place that is ours. `port`: the pyserial URL of its board. `flash`: (host, port) where it takes a firmware,
    None where it does not. `lost`: why it is ours no longer, "" while it is."""

    place: str
    port: str
    flash: tuple[str, int] | None
    lost: str = ""
    told: threading.Event = field(default_factory=threading.Event)  # when `lost` has been said


@dataclass
class _Request:
    answers: SimpleQueue[dict[str, Any]] = field(default_factory=SimpleQueue)
    waits: Callable[[Waiting], None] = lambda waiting: None


def client_name() -> str:
    """Who we are at a coordinator: HOST/USER as labgrid has it, and which process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    clean = (part.replace("/", "-") for part in (socket.gethostname(), user))
    return f"{'/'.join(clean)}{MARK}{os.getpid()}-{secrets.token_hex(2)}"


def holder_in_words(name: str) -> str:
    """`name` of a client, as people say it."""
    who, _, process = name.partition(MARK)
    host, _, user = who.rpartition("/")
    return f"{user}@{host}" + (f" (process {process.partition('-')[0]})" if process else "")


class Coordinator:
    """A context manager; leaving it releases every place, and so does the end of this process, whatever ends it."""

    def __init__(self, address: str, python: Path) -> None:
        """Raises EnvironmentFaultError where no coordinator answers at `address` (HOST:PORT)."""
        self.address = address
        self._requests: dict[int, _Request] = {}
        self._leases: dict[str, Lease] = {}
        self._gone = ""
        self._lock = threading.Lock()
        self._number = 0
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        command = [str(python), "-P", str(PROGRAMS / "agent.py"), address, client_name()]
        # In a session of its own, and not to be killed with us: it ends when its stdin does, and releases before.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline() or b"{}")
        if "ready" not in ready:
            words = ready.get("gone") or self._epitaph()
            self.close()
            raise EnvironmentFaultError(
                f"no coordinator at {address}: {words}; ./tinyproof fleet up starts one, --coordinator names another"
            )
        self._reader.start()

    def __enter__(self) -> Coordinator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def places(self) -> list[Place]:
        """All of them, by name."""
        found = self._ask({"do": "places"})["places"]
        return [
            Place(
                *(one["place"], one["tags"], one["held_by"], one["since"], one["exporter"], one["here"]),
                device=one["extra"].get("device") or "",
            )
            for one in found
        ]

    @contextlib.contextmanager
    def lease(
        self, place: str, waits: Callable[[Waiting], None] = lambda waiting: None, wait_s: float | None = None
    ) -> Iterator[Lease]:
        """Waits its turn, `wait_s` at most, and has `place` until the block ends. `waits` hears who is before it, when
        that changes.

        Raises BoardError naming the place: where it cannot be had, and, should its exporter go or the lease be ended
        meanwhile, in place of the BoardError that the block then ends with.
        """
        request = {"do": "acquire", "place": place, "wait_s": wait_s}
        resource = self._ask(request, waits, f"place {place}")["resource"]
        scheme = "socket" if resource.get("protocol") == "raw" else "rfc2217"
        flash = resource["extra"].get("flash")
        lease = Lease(
            place,
            f"{scheme}://{resource['host']}:{resource['port']}",
            (resource["host"], flash) if flash else None,
        )
        self._leases[place] = lease
        try:
            yield lease
        except BoardError as error:
            lease.told.wait(EXPLAINED_S)
            lost = lease.lost or (self._gone and f"the coordinator at {self.address} went away")
            if not lost:
                raise BoardError(f"place {place}: {error.message}") from error
            raise BoardError(f"place {place}: {lost} in the middle of it; run it again when it is back") from error
        finally:
            del self._leases[place]
            if not self._gone:
                with contextlib.suppress(BoardError):  # it went away just now: then nobody holds anything any more
                    self._ask({"do": "release", "place": place})

    def hang_up(self) -> None:
        """Whoever waits for an answer gets none, and what is held is released."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def offer(self, place: str, tags: Mapping[str, str], match: str) -> None:
        """Makes a place with `tags` for the resources that `match` (EXPORTER/GROUP/CLASS)."""
        self._ask({"do": "offer", "place": place, "tags": dict(tags), "match": match})

    def withdraw(self, place: str) -> None:
        """Removes a place."""
        self._ask({"do": "withdraw", "place": place})

    def _ask(
        self,
        document: dict[str, Any],
        waits: Callable[[Waiting], None] = lambda waiting: None,
        about: str = "the fleet",
    ) -> dict[str, Any]:
        request = _Request(waits=waits)
        with self._lock:
            self._number += 1
            number = self._number
            self._requests[number] = request
            line = json.dumps({"id": number, **document}).encode() + b"\n"
            with contextlib.suppress(OSError, ValueError):  # the reader says why it has gone
                assert self.process.stdin is not None
                self.process.stdin.write(line)
                self.process.stdin.flush()
            if self._gone:
                request.answers.put({"gone": self._gone})
        answer = request.answers.get()
        if "gone" in answer:
            raise BoardError(f"{about}: the coordinator at {self.address} went away: {answer['gone']}")
        if "fault" in answer:
            raise BoardError(f"{about}: {answer['fault']}")
        return answer

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "gone" in said:
                self._end(said["gone"])
            elif "lost" in said:
                lease = self._leases.get(said["lost"])
                if lease is not None:
                    lease.lost = said["why"]
                    lease.told.set()
            elif "waits" in said:
                self._requests[said["id"]].waits(Waiting(**said["waits"]))
            else:
                self._requests.pop(said["id"]).answers.put(said)
        self._end(self._gone or "its client has ended")

    def _end(self, why: str) -> None:
        with self._lock:
            self._gone = why
            for lease in list(self._leases.values()):
                lease.told.set()
            for request in self._requests.values():
                request.answers.put({"gone": why})

    def _epitaph(self) -> str:
        self.process.wait(STOP_S)
        self._stderr.seek(0)
        lines = [line for line in self._stderr.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "its client has ended"

    def close(self) -> None:
        """Releases what is held, and ends."""
        self.hang_up()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._reader.is_alive():  # it ends at the end of the client's words
            self._reader.join(STOP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._stderr.close()
