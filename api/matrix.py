# SPDX-License-Identifier: Apache-2.0
"""Several boards built and checked side by side, two at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.config import Config
from tinyproof.core.errors import EXIT_ENVIRONMENT, EXIT_MISMATCH, EXIT_PROVEN, TinyproofError

if TYPE_CHECKING:
    from tinyproof.core.build_record import BuildRecord
    from tinyproof.host.check_report import CheckReport

WORKERS = 2  # a build is a compiler's work, a check the emulator's and ours: two keep two cores busy

# board, what it does now, vectors done and all of them (0, 0 while it builds)
Notify = Callable[[str, str, float, int], None]


@dataclass(frozen=True)
class MatrixRow:
    """A board's line of the matrix. Sizes in bytes, None where nothing could be built; ticks in `tick_unit`.

    `error` is the one line that says why the board could not be proven, or what is different; empty when it is.
    """

    board: str
    isa: str
    engine: str
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    engine_flash_bytes: int | None = None
    engine_ram_bytes: int | None = None
    reference: str = ""
    bits_checked: int = 0
    bits_different: int = 0
    answers_within_tolerance: bool | None = None
    ticks_min: int = 0
    ticks_max: int = 0
    tick_unit: str = ""
    proven: bool = False
    error: str = ""
    exit_code: int = EXIT_PROVEN

    @property
    def name(self) -> str:
        """What a line about it begins with."""
        return self.board


class Stopped(Exception):  # noqa: N818 - not an error: the user has interrupted the run
    """The user has pressed Ctrl-C: boards that have not begun are left out."""


def simulated_boards() -> list[Board]:
    """Every board that an emulator from Debian provides, with the engine that needs nothing else."""
    return [board for board in all_boards().values() if board.kind == "simulated" and not board.hidden]


def prove(boards: list[Board], folder: Path, config: Config, notify: Notify) -> list[MatrixRow]:
    """A row for each board, in their order."""
    stop = threading.Event()
    with ThreadPoolExecutor(WORKERS) as pool:
        # From the end: sim-uno compiles the Arduino core, too, and takes longest.
        futures: dict[str, Future[MatrixRow]] = {
            board.name: pool.submit(_prove_one, board, folder, config, notify, stop) for board in reversed(boards)
        }
        try:
            wait(futures.values())
        except BaseException:
            # Ctrl-C reaches this thread alone; the checks end at their next vector and reap their emulators.
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [futures[board.name].result() for board in boards]


def _prove_one(board: Board, folder: Path, config: Config, notify: Notify, stop: threading.Event) -> MatrixRow:
    from tinyproof.checking import check_and_locate
    from tinyproof.digests import build_trace
    from tinyproof.firmware.platformio_build import build

    def progress(done: float, total: int) -> None:
        if stop.is_set():
            raise Stopped
        notify(board.name, "checks", done, total)

    row = MatrixRow(board.name, board.isa, board.engine)
    try:
        if stop.is_set():
            raise Stopped
        notify(board.name, "builds", 0, 0)
        row = built(row, build(board, folder))
        build_trace(board, folder)
        report = check_and_locate(
            *(board, folder, None, config.check),
            *(progress, lambda: notify(board.name, "looks for the layer", 0, 0)),
        )
    except TinyproofError as error:
        notify(board.name, "failed", 0, 0)
        return replace(row, error=error.message, exit_code=error.exit_code)
    notify(board.name, "proven" if report.proven else "DIFFERENT", report.bits.checked, report.bits.checked)
    return checked(row, report)


Row = TypeVar("Row", bound=MatrixRow)


def checked(row: Row, report: CheckReport) -> Row:
    """`row` with what a check has found."""
    return replace(
        row,
        reference=report.reference,
        bits_checked=report.bits.checked,
        bits_different=report.bits.different,
        answers_within_tolerance=report.answers_within_tolerance,
        ticks_min=report.bits.ticks_min,
        ticks_max=report.bits.ticks_max,
        tick_unit=report.bits.tick_unit,
        proven=report.proven,
        error=report.mismatch(),
        exit_code=EXIT_PROVEN if report.proven else EXIT_MISMATCH,
    )


def built(row: Row, record: BuildRecord) -> Row:
    """`row` with what its firmware takes."""
    return replace(
        row,
        flash_bytes=record.flash_bytes,
        ram_bytes=record.ram_bytes,
        engine_flash_bytes=record.engine_flash_bytes,
        engine_ram_bytes=record.engine_ram_bytes,
    )


def exit_code(rows: Sequence[MatrixRow]) -> int:
    """0 when every board is proven, 1 when one answers wrongly, 3 when one could not be asked."""
    codes = {row.exit_code for row in rows}
    if EXIT_MISMATCH in codes:
        return EXIT_MISMATCH
    return EXIT_PROVEN if codes == {EXIT_PROVEN} else EXIT_ENVIRONMENT


def as_document(rows: Sequence[MatrixRow]) -> dict[str, Any]:
    """What --json prints of the matrix."""
    return {
        "boards": [asdict(row) for row in rows],
        "instruction_sets": sorted({row.isa for row in rows if row.proven}),
        "proven": exit_code(rows) == EXIT_PROVEN,
    }
