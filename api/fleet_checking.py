# SPDX-License-Identifier: Apache-2.0
"""All boards of a fleet that match, checked at once: each is leased, flashed, asked and given back."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.builds import needs_build
from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.build_record import read_build_record
from tinyproof.core.config import Config
from tinyproof.core.errors import EXIT_MISMATCH, EXIT_PROVEN, BoardError, MismatchError, TinyproofError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.matrix import WORKERS, MatrixRow, Stopped, built, checked, exit_code

if TYPE_CHECKING:
    from tinyproof.digests import Put
    from tinyproof.host.fleet.coordinator import Coordinator, Lease, Place, Waiting


@dataclass(frozen=True)
class FleetRow(MatrixRow):
    """A place's line. Seconds: `waited_s` until it was its turn, then for firmware, check, and to give it back.

    `digests`: what the layers came to, None where `digests_note` says why, or a single operator's output is the answer.
    """

    place: str = ""
    waited_s: float = 0.0
    flash_s: float = 0.0
    check_s: float = 0.0
    release_s: float = 0.0
    round_trips_per_second: float = 0.0
    digests: dict[str, Any] | None = None
    digests_note: str = ""

    @property
    def name(self) -> str:
        """What a line about it begins with: several places may have a board of one kind."""
        return self.place


@dataclass(frozen=True)
class FleetEars:
    """Who hears what happens; all by place, and from the thread that works on it. `now`: what it does, vectors done and
    all of them; `waits`: whose turn it is."""

    now: Callable[[str, str, float, int], None] = lambda place, words, done, total: None
    waits: Callable[[str, Waiting], None] = lambda place, waiting: None


def matching(places: Sequence[Place], wanted: Mapping[str, str], coordinator: str) -> list[Place]:
    """Places that have all these tags; `name` stands for the place's own. Raises BoardError where there is none."""
    found = [place for place in places if wanted.items() <= {**place.tags, "name": place.name}.items()]
    if not found:
        asked = ", ".join(f"{key}={value}" for key, value in wanted.items())
        keys = {key for place in places for key in place.tags if key in wanted} or {"board"}
        known = sorted({f"{key}={place.tags[key]}" for place in places for key in keys if key in place.tags})
        there = f"there are {', '.join(known)}" if known else "it has no places"
        raise BoardError(f"no place at {coordinator} has {asked}; {there} (./tinyproof fleet status)")
    return found


def boards_to_build(places: Sequence[Place], folder: Path) -> list[Board]:
    """Simulated ones whose firmware is missing or another model's. A real board's is built where it is uploaded."""
    names = sorted({place.board for place in places if place.simulated} & all_boards().keys())
    return [board for board in (all_boards()[name] for name in names) if needs_build(board, folder)]


def build_boards(boards: Sequence[Board], folder: Path, building: Callable[[Board], None]) -> dict[str, TinyproofError]:
    """Builds them, two at a time, and the firmware that traces; `building` hears of each. Returns why a board could
    not be built, by its name."""
    from tinyproof.digests import build_trace
    from tinyproof.firmware.platformio_build import build

    def attempt(board: Board) -> TinyproofError | None:
        building(board)
        try:
            build(board, folder)
            build_trace(board, folder)
        except TinyproofError as error:
            return error
        return None

    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = pool.map(attempt, boards)
        return {board.name: error for board, error in zip(boards, outcomes, strict=True) if error is not None}


def prove_places(
    fleet: Coordinator,
    places: Sequence[Place],
    folder: Path,
    config: Config,
    ears: FleetEars | None = None,
    wait_s: float | None = None,
    unbuilt: Mapping[str, TinyproofError] | None = None,
) -> list[FleetRow]:
    """A row for each place, in their order; all are worked on at the same time. `wait_s`: how long each waits its turn
    at most. `unbuilt`: boards without a firmware. A place that cannot be proven is a row, too."""
    work = _Work(fleet, folder, config, ears or FleetEars(), wait_s, unbuilt or {})
    with ThreadPoolExecutor(len(places)) as pool:
        futures: list[Future[FleetRow]] = [pool.submit(work.prove, place) for place in places]
        try:
            wait(futures)
        except BaseException:
            # Ctrl-C reaches this thread alone: the others end at their next vector, or with the coordinator's client.
            work.stop.set()
            fleet.hang_up()
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


class _Work:
    """What the threads of one call share."""

    def __init__(
        self,
        fleet: Coordinator,
        folder: Path,
        config: Config,
        ears: FleetEars,
        wait_s: float | None,
        unbuilt: Mapping[str, TinyproofError],
    ) -> None:
        self.fleet, self.folder, self.config, self.ears = fleet, folder, config, ears
        self.wait_s, self.unbuilt = wait_s, unbuilt
        self.stop = threading.Event()
        self._locating: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def prove(self, place: Place) -> FleetRow:
        """One place from its firmware to its verdict."""
        board = all_boards().get(place.board)
        row = FleetRow(place.board or "-", place.tags.get("isa", "-"), "", place=place.name)
        if board is None:
            return self._failed(row, BoardError(f"place {place.name}: this tinyproof has no board {place.board!r}"))
        row = replace(row, engine=board.engine)
        if board.name in self.unbuilt:
            return self._failed(row, self.unbuilt[board.name])
        if (record := read_build_record(self.folder / "boards" / board.name)) is not None:
            row = built(row, record)
        try:
            asked = time.monotonic()
            with self._lease(place) as lease:
                row = replace(row, waited_s=round(time.monotonic() - asked, 3))
                row = self._prove_leased(row, board, place, lease)
                left = time.monotonic()
            row = replace(row, release_s=round(time.monotonic() - left, 3))
        except TinyproofError as error:
            return self._failed(row, error)
        self.ears.now(place.name, "proven" if row.proven else "DIFFERENT", row.bits_checked, row.bits_checked)
        return row

    def _failed(self, row: FleetRow, error: TinyproofError) -> FleetRow:
        self.ears.now(row.place, "failed", 0, 0)
        return replace(row, error=error.message, exit_code=error.exit_code)

    @contextmanager
    def _lease(self, place: Place) -> Iterator[Lease]:
        def waits(waiting: Waiting) -> None:
            self.ears.waits(place.name, waiting)

        with self.fleet.lease(place.name, waits, self.wait_s) as lease:
            self._go_on()
            yield lease

    def _prove_leased(self, row: FleetRow, board: Board, place: Place, lease: Lease) -> FleetRow:
        from tinyproof.checking import check_and_locate

        def progress(done: float, total: int) -> None:
            self._go_on()
            self.ears.now(place.name, "checks", done, total)

        begun = time.monotonic()
        self.ears.now(place.name, "flashes", 0, 0)
        self._flash(board, place, lease)
        flashed = time.monotonic()
        with ExitStack() as until_located:

            def differs() -> None:
                self.ears.now(place.name, "looks for the layer", 0, 0)
                until_located.enter_context(self._locating[board.name])  # one firmware for it, of all boards of a kind

            put = self._putting(place, lease)
            report = check_and_locate(board, self.folder, lease.port, self.config.check, progress, differs, put)
        row = replace(
            row,
            flash_s=round(flashed - begun, 3),
            check_s=round(time.monotonic() - flashed, 3),
            round_trips_per_second=round(report.bits.round_trips_per_second, 1),
            digests=None if report.digests is None else asdict(report.digests),
            digests_note=report.digests_note,
        )
        return checked(row, report)

    def _putting(self, place: Place, lease: Lease) -> Put | None:
        """What brings an ELF onto a simulated board; None for a real one, whose flash is not written without need."""
        from tinyproof.host.fleet.place_ports import send_firmware

        address = lease.flash
        if address is None or not place.simulated:
            return None
        return lambda elf: send_firmware(address, {elf.name: elf.read_bytes()})

    def _flash(self, board: Board, place: Place, lease: Lease) -> None:
        """Puts the build's firmware on a simulated board, and the build on a real one that runs another model."""
        from tinyproof.host.fleet.place_ports import send_firmware
        from tinyproof.host.session import open_client
        from tinyproof.host.targets.emulator import firmware_elf

        if lease.flash is None:
            return
        if (put := self._putting(place, lease)) is not None:
            put(firmware_elf(board, self.folder))
            return
        try:
            with open_client(board, lease.port, self.config.check) as (_, info):
                if info.model == read_manifest(self.folder).model_id:
                    return
        except BoardError:  # whatever it runs, it is not ours yet
            pass
        send_firmware(lease.flash, {file.name: file.read_bytes() for file in self.folder.iterdir() if file.is_file()})

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise Stopped


def as_fleet_document(rows: Sequence[FleetRow], coordinator: str) -> dict[str, Any]:
    """What --json prints of it."""
    return {
        "coordinator": coordinator,
        "boards": [asdict(row) for row in rows],
        "proven": exit_code(rows) == EXIT_PROVEN,
    }


def read_tags(words: Sequence[str]) -> dict[str, str]:
    """TAG=VALUE of the command line. Raises UsageError."""
    pairs = [word.partition("=") for word in words]
    for (key, equals, value), word in zip(pairs, words, strict=True):
        if not (key and equals and value):
            raise UsageError(f"--fleet {word}: say TAG=VALUE, such as simulated=yes or board=qemu-cortex-m4")
    return {key: value for key, _, value in pairs}


def fault_of(rows: Sequence[FleetRow]) -> TinyproofError | None:
    """Why not all are proven, in one line; None where they are. A wrong answer comes before a board that could not be
    asked."""
    failed = [row for row in rows if not row.proven]
    if not failed:
        return None
    code = exit_code(rows)
    wrong = code == EXIT_MISMATCH
    first = next((row for row in failed if row.exit_code == EXIT_MISMATCH), failed[0])
    why = f"{first.place}: {first.error.removeprefix(f'place {first.place}: ')}"
    words = f"{len(failed)} of {len(rows)} boards not proven; {why}"
    return MismatchError(words) if wrong else BoardError(words)
