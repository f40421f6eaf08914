# SPDX-License-Identifier: Apache-2.0
"""What `tinyproof run` does before it asks a board: makes the model, and puts it on the board. No verb of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from tinyproof.builds import Wanted, check_new_name, run_build, run_export, was_imported
from tinyproof.cli.model_option import import_file, print_import
from tinyproof.cli.stage_timer import Stages
from tinyproof.cli.verbs.build import print_build
from tinyproof.cli.verbs.export import print_export
from tinyproof.cli.verbs.flash import print_flash, run_flash
from tinyproof.cli.verbs.report import training_plot
from tinyproof.cli.verbs.train import print_train, run_train
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config
from tinyproof.core.files import replaced_whole
from tinyproof.core.manifest import FILE, Manifest
from tinyproof.core.model_file import ModelFile
from tinyproof.core.paths import build_dir


def make_model(stages: Stages, config: Config, model: str | None, found: ModelFile | None, wanted: Wanted) -> Config:
    """`config` for --model, whose build is then exported: a file, `found`, is imported; the lesson's neuron, trained
    anew."""
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

        def show(trained: Manifest, folder: Path) -> None:
            print_train(trained)
            click.echo(training_plot(folder))

        # Both or none: a descent that Ctrl-C ends leaves the build that was proven last.
        with replaced_whole(build_dir(named.model), FILE, empty=True) as folder:
            stages.run("train", lambda: run_train(named, folder), lambda trained: show(trained, folder))
            stages.run("export", lambda: run_export(named, folder), print_export)
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
