# SPDX-License-Identifier: Apache-2.0
"""What `tinyproof run` does before it asks a board: makes the model, and puts it on the board. No verb of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from pipeline.boards import find_board
from pipeline.config import Config
from pipeline.manifest import Manifest
from pipeline.verbs.build import print_build, run_build
from pipeline.verbs.export import print_export, run_export
from pipeline.verbs.flash import print_flash, run_flash
from pipeline.verbs.models import check_new_name, find_brought, import_file, print_import, was_imported
from pipeline.verbs.report import training_plot
from pipeline.verbs.stages import Stages
from pipeline.verbs.train import print_train, run_train


def make_model(
    stages: Stages, config: Config, model: str | None, calibration: Path | None, low: float | None, high: float | None
) -> Config:
    """`config` for --model, whose build is then exported: a file is imported; the lesson's neuron, trained anew."""
    found = find_brought(model, calibration)
    if found is not None:
        imported, _ = stages.run(
            "import",
            lambda: import_file(config, found, calibration, low, high),
            lambda done: print_import(done[1]),
        )
        return imported
    named = dataclasses.replace(config, model=model or config.model)
    if not was_imported(named):
        if model is not None:
            check_new_name(model)

        def show(trained: Manifest) -> None:
            print_train(trained)
            click.echo(training_plot(named))

        stages.run("train", lambda: run_train(named), show)
        stages.run("export", lambda: run_export(named), print_export)
    return named


def put_on_board(stages: Stages, config: Config, port: str | None) -> str | None:
    """The firmware is built for config.board, and is on it if it is a real one. Returns the port to ask it at.

    A simulated board behind `port` is taken as it runs there.
    """
    kind = find_board(config.board).kind
    if kind == "serial":
        return stages.run("flash", lambda: run_flash(config, port), lambda flashed: print_flash(config, flashed)).port
    if kind == "simulated" and port is None:
        stages.run("build", lambda: run_build(config), print_build)
    return port
