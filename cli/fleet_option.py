# SPDX-License-Identifier: Apache-2.0
"""The options --fleet, --coordinator and --wait of the verbs that ask boards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from tinyproof.core.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

COORDINATOR_HELP = (
    "labgrid's coordinator, HOST:PORT. [default: that of tinyproof.toml, or of the fleet on this machine]"
)


@dataclass(frozen=True)
class FleetWanted:
    """What was asked for: `tags` as TAG=VALUE, all of which a board must have."""

    tags: tuple[str, ...]
    coordinator: str | None
    wait_s: float | None


def coordinator_option(function: F) -> F:
    """Decorates a verb with --coordinator."""
    return click.option("--coordinator", metavar="HOST:PORT", help=COORDINATOR_HELP)(function)


def fleet_options(function: F) -> F:
    """Decorates a verb with all three; it gets them as `fleet`, `coordinator` and `wait`."""
    wait = click.option(
        "--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Of a fleet: wait no longer for a board."
    )
    fleet = click.option(
        "--fleet",
        multiple=True,
        metavar="TAG=VALUE",
        help="All boards of a fleet that match, at once: simulated=yes, board=NAME, isa=NAME, name=PLACE.",
    )
    return fleet(coordinator_option(wait(function)))


def fleet_wanted(
    fleet: tuple[str, ...], coordinator: str | None, wait: float | None, **others: object
) -> FleetWanted | None:
    """None where no fleet is asked for. Raises UsageError where the options do not go together; `others`: values of
    options that say nothing beside --fleet."""
    if not fleet:
        if coordinator is not None or wait is not None:
            raise UsageError(
                "--coordinator and --wait are for boards of a fleet: say which, such as --fleet simulated=yes"
            )
        return None
    for name, value in others.items():
        if value not in (None, False):
            raise UsageError(f"--fleet chooses the boards and what they are asked: leave out --{name}")
    return FleetWanted(fleet, coordinator, wait)
