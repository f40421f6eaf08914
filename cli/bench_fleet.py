# SPDX-License-Identifier: Apache-2.0
"""`tinyproof bench --fleet`: what boards of a fleet answer, how fast, and what the fleet costs beside it."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict
from typing import Any

import click

from tinyproof.builds import run_export
from tinyproof.cli.fleet_option import FleetWanted
from tinyproof.cli.run_fleet import joined_fleet, run_fleet
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.core.config import Config
from tinyproof.core.paths import build_dir
from tinyproof.fleet_checking import FleetRow, fault_of

PREFIX = "bench-"


def bench_fleet(config: Config, wanted: FleetWanted) -> list[tuple[str, FleetRow]]:
    """(model, row) of the neuron and of 1-16-16-1, each on every board that matches."""
    from tinyproof.cli.verbs.train import run_train
    from tinyproof.train.builtin import make_sine

    neuron, sine = (dataclasses.replace(config, model=f"{PREFIX}{name}") for name in ("neuron", "sine"))
    with joined_fleet(config, wanted) as (fleet, places):
        run_train(neuron)
        make_sine(build_dir(sine.model))
        found = []
        for model in (neuron, sine):
            run_export(model)
            rows = run_fleet(model, fleet, places, wanted)
            found += [(model.model.removeprefix(PREFIX), row) for row in rows]
    return found


def as_bench_document(found: list[tuple[str, FleetRow]]) -> dict[str, Any]:
    """What --json prints of it."""
    return {
        "boards": [{"model": model, **asdict(row)} for model, row in found],
        "proven": fault_of([row for _, row in found]) is None,
    }


def print_bench_fleet(found: list[tuple[str, FleetRow]]) -> None:
    """Seconds that the fleet takes stand beside those of the check."""
    titles = ("model", "place", "inference", "bits", "trips/s", "wait", "flash", "check", "release")
    click.echo(f"{'fleet':<{LABEL}}seconds to wait, to flash, to check, and to give back")
    click.echo("\n".join(aligned([titles, *(_cells(model, row) for model, row in found)], right=range(2, 9))))
    for model, row in found:
        if row.error:
            click.echo(f"{model}: {row.error}")


def _cells(model: str, row: FleetRow) -> tuple[str, ...]:
    same = f"{row.bits_checked - row.bits_different}/{row.bits_checked}"
    seconds = (f"{value:.2f}" for value in (row.waited_s, row.flash_s, row.check_s, row.release_s))
    rate = f"{row.round_trips_per_second:,.0f}"
    return (model, row.place, f"{row.ticks_max:,} {row.tick_unit}", same, rate, *seconds)
