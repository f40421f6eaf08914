# SPDX-License-Identifier: Apache-2.0
"""What `tinyproof run` does before it asks a board: makes the model, and puts it on the board. No verb of its own."""

from __future__ import annotations

import dataclasses

import click

from tinyproof.builds import Wanted, check_new_name, find_brought, import_file, run_build, run_export, was_imported
from tinyproof.cli.model_option import print_import
from tinyproof.cli.stage_timer import Stages
from tinyproof.cli.verbs.build import print_build
from tinyproof.cli.verbs.export import print_export
from tinyproof.cli.verbs.flash import print_flash, run_flash
from tinyproof.cli.verbs.report import training_plot
from tinyproof.cli.verbs.train import print_train, run_train
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config
from tinyproof.core.manifest import Manifest


def make_model(stages: Stages, config: Config, model: str | None, wanted: Wanted) -> Config:
    """`config` for --model, whose build is then exported: a file is imported; the lesson's neuron, trained anew."""
    found = find_brought(model, wanted)
    if found is not None:
        imported, _ = stages.run(
            "import",
            lambda: import_file(config, found, wanted),
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
