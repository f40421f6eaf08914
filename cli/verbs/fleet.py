# SPDX-License-Identifier: Apache-2.0
"""`tinyproof fleet`: boards that several programs and people share, on labgrid."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.fleet_option import coordinator_option
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.cli.verb_context import VerbContext
from tinyproof.core.board_spec import all_boards, find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.paths import CONFIG_FILE

if TYPE_CHECKING:
    from tinyproof.host.fleet.coordinator import Place
    from tinyproof.host.fleet.state import Offer

LISTEN = "127.0.0.1:20408"  # the port is labgrid's own
EVERYWHERE = ("", "0.0.0.0", "[::]", "*")


@click.group()
def command() -> None:
    """Offer boards to many: the same board to two programs, one after the other.

    `up` starts labgrid's coordinator and exporter on this machine, with every simulated board and each real one that is
    plugged in as a place. `check`, `run` and `bench` --fleet then take the places that match, wait their turn, put the
    build there, ask, and give back. A lease ends with its program, however that ends.

    \b
    ./tinyproof fleet up
    ./tinyproof check --fleet simulated=yes
    ./tinyproof fleet status
    ./tinyproof fleet down

    labgrid has an environment of its own, made the first time. docs/fleet.md says more.

    Exits 0 when it is done, 2 where a fleet is up already or none is, 3 if labgrid cannot be started or reached.
    """


@command.command()
@click.option("--listen", default=LISTEN, metavar="HOST:PORT", help=f"Of the coordinator. [default: {LISTEN}]")
@click.option("--coordinator", metavar="HOST:PORT", help="Join one that runs already instead of starting one.")
@click.option("--name", metavar="NAME", help="What this machine's exporter is called there. [default: its host name]")
@click.option(
    "--host",
    metavar="ADDRESS",
    help="This machine's, as others reach it. [default: that of --listen, or its host name]",
)
@click.option("--board", "boards", multiple=True, help="Offer this simulated board; may be repeated. [default: all]")
@click.option("--copies", type=click.IntRange(1, 100), default=1, help="Of each simulated board. [default: 1]")
@click.option("--device", "devices", multiple=True, metavar="BOARD=FILE", help="Offer a real board at this port, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the lines.")
def up(
    listen: str,
    coordinator: str | None,
    name: str | None,
    host: str | None,
    boards: tuple[str, ...],
    copies: int,
    devices: tuple[str, ...],
    as_json: bool,
) -> None:
    """Offer this machine's boards, until `fleet down`.

    With --coordinator they are offered at one that runs elsewhere: the exporter stands beside the boards, and uploads
    go through it. Whoever reaches the coordinator may put firmware on these boards: keep to a network of your own.

    \b
    ./tinyproof fleet up --copies 4 --board qemu-cortex-m4
    ./tinyproof fleet up --coordinator lab:20408 --host bench3 --device esp32=/dev/ttyUSB0
    """
    from tinyproof.host.fleet import daemons
    from tinyproof.host.fleet.environment import labgrid_python
    from tinyproof.host.fleet.state import ShelfPlan

    daemons.refuse_windows()
    exporter = name or socket.gethostname()
    offers = _offers(boards, copies, devices, f"{exporter}-" if coordinator else "")
    at = listen.rpartition(":")[0]
    reached = host or (socket.gethostname() if coordinator or at in EVERYWHERE else at)
    python = labgrid_python(console.remark)
    wanted = ShelfPlan(exporter, str(python), reached, "" if coordinator else listen, coordinator or "", tuple(offers))
    state = daemons.up(wanted)
    if as_json:
        console.print_json({"coordinator": state.coordinator, "places": list(state.places), "pid": state.pid})
        return
    click.echo(f"{'fleet':<{LABEL}}{_count(state.places)} at {state.coordinator}")
    console.print_next("./tinyproof check --fleet simulated=yes", "./tinyproof fleet status", "./tinyproof fleet down")


@command.command()
@coordinator_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def status(coordinator: str | None, as_json: bool) -> None:
    """Show the places of a coordinator, who holds them, and since when."""
    from tinyproof.cli.run_fleet import join_coordinator

    with join_coordinator(load_config(CONFIG_FILE), coordinator) as fleet:
        places = fleet.places()
    if as_json:
        rows = [
            {"place": one.name, "tags": dict(one.tags), "held_by": one.held_by, "since": one.since, "here": one.here}
            for one in places
        ]
        console.print_json({"coordinator": fleet.address, "places": rows})
        return
    click.echo(f"{'fleet':<{LABEL}}{_count(places)} at {fleet.address}")
    if places:
        click.echo("\n".join(aligned([("place", "isa", "simulated", "held by", "since"), *map(_cells, places)])))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the line.")
def down(as_json: bool) -> None:
    """End this machine's fleet, with every lease on its boards."""
    from tinyproof.host.fleet import daemons

    daemons.refuse_windows()
    state = daemons.down()
    if as_json:
        console.print_json({"coordinator": state.coordinator, "places": list(state.places)})
        return
    click.echo(f"{'fleet':<{LABEL}}{_count(state.places)} at {state.coordinator} ended")


for _part in command.commands.values():
    _part.context_class = VerbContext


def _count(places: Sequence[object]) -> str:
    return f"{len(places)} {'place' if len(places) == 1 else 'places'}"


def _offers(boards: tuple[str, ...], copies: int, devices: tuple[str, ...], prefix: str) -> list[Offer]:
    """Raises UsageError where a board is none, or of the wrong kind."""
    from tinyproof.core.system_packages import missing_to_run
    from tinyproof.host.fleet.state import Offer
    from tinyproof.host.transport.usb import list_plugged, stable_port
    from tinyproof.matrix import simulated_boards

    chosen = [find_board(name) for name in boards] or [one for one in simulated_boards() if not missing_to_run(one)]
    if wrong := [board.name for board in chosen if board.kind != "simulated"]:
        raise UsageError(f"board {wrong[0]} is not simulated; a real one is offered by --device {wrong[0]}=FILE")
    offers = [
        Offer(f"{prefix}{board.name}" + (f"-{copy}" if copy > 1 else ""), board.name)
        for board in chosen
        for copy in range(1, copies + 1)
    ]
    plugged = [(one.likely[0], stable_port(one.port)) for one in list_plugged() if one.likely and not one.bootloader]
    named = [tuple(word.partition("=")[::2]) for word in devices]
    taken = {Path(device).resolve() for _, device in named}  # a stable name of it is another name
    for board, device in (*named, *(one for one in plugged if Path(one[1]).resolve() not in taken)):
        if not device:
            raise UsageError(f"--device {board}: say BOARD=FILE, such as esp32=/dev/ttyUSB0")
        if find_board(board).kind != "serial":
            raise UsageError(f"board {board} is no real one; simulated ones are offered by --board {board}")
        same = sum(one.board == board for one in offers)
        offers.append(Offer(f"{prefix}{board}" + (f"-{same + 1}" if same else ""), board, device))
    if not offers:
        known = ", ".join(name for name, board in all_boards().items() if board.kind == "simulated")
        raise UsageError(f"nothing to offer: no emulator of {known} is installed; ./tinyproof doctor knows more")
    return offers


def _cells(place: Place) -> tuple[str, ...]:
    from tinyproof.cli.run_fleet import clock
    from tinyproof.host.fleet.coordinator import holder_in_words

    if not place.here:
        holder = "not connected"
    elif place.held_by is None:
        holder = "-"
    else:
        holder = holder_in_words(place.held_by)
    since = "-" if place.since is None else clock(place.since)
    return (place.name, place.tags.get("isa", "-"), place.tags.get("simulated", "-"), holder, since)
