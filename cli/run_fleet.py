# SPDX-License-Identifier: Apache-2.0
"""Boards of a fleet asked with progress on the terminal, and their table: what `check`, `run` and `bench` share."""

from __future__ import annotations

import contextlib
import datetime
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.console import say
from tinyproof.cli.fleet_option import FleetWanted
from tinyproof.cli.model_option import hold
from tinyproof.cli.progress import progress
from tinyproof.cli.run_all import check_cells, print_faults
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.core.config import Config
from tinyproof.core.errors import EXIT_MISMATCH
from tinyproof.core.manifest import FILE
from tinyproof.core.paths import build_dir
from tinyproof.fleet_checking import (
    FleetEars,
    FleetRow,
    boards_to_build,
    build_boards,
    matching,
    prove_places,
    read_tags,
)

if TYPE_CHECKING:
    from tinyproof.host.fleet.coordinator import Coordinator, Place, Waiting


def join_coordinator(config: Config, named: str | None) -> Coordinator:
    """The coordinator that is meant; `named`: by --coordinator."""
    from tinyproof.host.fleet.coordinator import Coordinator
    from tinyproof.host.fleet.daemons import coordinator_address
    from tinyproof.host.fleet.environment import labgrid_python

    return Coordinator(coordinator_address(named, config.fleet.coordinator), labgrid_python(console.remark))


@contextlib.contextmanager
def joined_fleet(config: Config, wanted: FleetWanted) -> Iterator[tuple[Coordinator, list[Place]]]:
    """The coordinator that is meant, and its places that match."""
    tags = read_tags(wanted.tags)
    with join_coordinator(config, wanted.coordinator) as fleet:
        yield fleet, matching(fleet.places(), tags, fleet.address)


def make_lesson(config: Config, *, quiet: bool) -> None:
    """Trains and exports the lesson's neuron where there is no build yet: a fresh machine has something to check."""
    if config.model != Config().model or (build_dir(config.model) / FILE).is_file():
        return
    from tinyproof.builds import Wanted
    from tinyproof.cli.prepare import make_model
    from tinyproof.cli.stage_timer import Stages

    with hold(config.model, makes=True):
        make_model(Stages(quiet=quiet), config, None, None, Wanted())


def run_fleet(config: Config, fleet: Coordinator, places: Sequence[Place], wanted: FleetWanted) -> list[FleetRow]:
    """Builds what has to be built, and checks build/<config.model> on `places`, showing progress on a terminal."""
    folder = build_dir(config.model)
    unbuilt = {}
    if missing := boards_to_build(places, folder):
        with hold(config.model):
            unbuilt = build_boards(missing, folder, lambda board: console.remark(f"building {board.name} ..."))
    with hold(config.model, shared=True), _bars(places) as ears:
        return prove_places(fleet, places, folder, config, ears, wanted.wait_s, unbuilt)


@contextlib.contextmanager
def _bars(places: Sequence[Place]) -> Iterator[FleetEars]:
    """A bar for each place. Where there are no bars, who holds a board that is waited for is a line of its own."""
    told: dict[str, str | None] = {}
    lock = threading.Lock()
    with progress() as bar:
        tasks = {place.name: bar.add_task(f"{place.name:<16}", total=None, note="") for place in places}

        def now(place: str, words: str, done: float, total: int) -> None:
            bar.update(tasks[place], note=words, completed=done, total=total or None)

        def waits(place: str, waiting: Waiting) -> None:
            words = waiting_in_words(waiting)
            bar.update(tasks[place], note=words)
            with lock:
                new = place not in told or told[place] != waiting.held_by
                told[place] = waiting.held_by
            if new and not sys.stderr.isatty():  # where it is one, the bar says it
                console.remark(f"place {place} {words}")

        yield FleetEars(now, waits)


def waiting_in_words(waiting: Waiting) -> str:
    """Who holds a place, since when, and how many are before us."""
    from tinyproof.host.fleet.coordinator import holder_in_words

    if waiting.held_by is None:
        words = "is given to who came earlier"
    else:
        since = "" if waiting.since is None else f" since {clock(waiting.since)}"
        words = f"is held by {holder_in_words(waiting.held_by)}{since}"
    before = f", {waiting.before} before us" if waiting.before else ""
    return f"{words}; waiting{before}"


def clock(seconds: float) -> str:
    """A moment as this machine's clock shows it."""
    return datetime.datetime.fromtimestamp(seconds).strftime("%H:%M:%S")


def print_fleet(rows: Sequence[FleetRow]) -> None:
    """The table, at most 80 columns wide, then what failed."""
    lines = [("place", "isa", "inference", "bits", "answers", "waited", "check"), *map(_cells, rows)]
    click.echo(f"{'fleet':<{LABEL}}{len(rows)} {'board' if len(rows) == 1 else 'boards'} at once")
    click.echo("\n".join(aligned(lines, right=(2, 5, 6))))
    _say_digests(rows)
    print_faults(rows)


def _say_digests(rows: Sequence[FleetRow]) -> None:
    """On which boards every layer was compared, and why not on the others."""
    compared = [row for row in rows if row.digests is not None]
    if compared:
        same = sum(not row.digests["different"] for row in compared if row.digests is not None)
        say("layers", f"bit-identical, by digests of each operator's outputs, on {same} of {len(rows)} boards")
    for note in dict.fromkeys(row.digests_note for row in rows if row.digests_note):
        names = ", ".join(row.place for row in rows if row.digests_note == note)
        say("layers", f"not compared one by one on {names}: {note}")


def _cells(row: FleetRow) -> tuple[str, ...]:
    waited = f"{row.waited_s:.2f} s" if row.waited_s or row.bits_checked else "-"
    check = f"{row.check_s:.2f} s" if row.bits_checked else "-"
    return (row.place, row.isa, *check_cells(row), waited, check)


def write_fleet_junit(model: str, rows: Sequence[FleetRow], file: Path) -> None:
    """A test case for each place."""
    from tinyproof.host.junit import write_junit_of_boards

    failed = {row.place: (row.error, row.exit_code == EXIT_MISMATCH) for row in rows if not row.proven}
    write_junit_of_boards(model, [row.place for row in rows], failed, file)
    console.note(console.JUNIT)
