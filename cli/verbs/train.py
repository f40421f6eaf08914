# SPDX-License-Identifier: Apache-2.0
"""`tinyproof train`: gradient descent on the lesson's neuron."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold
from tinyproof.cli.progress import progress
from tinyproof.cli.tables import stage_line
from tinyproof.core import paths
from tinyproof.core.config import Config, load_config
from tinyproof.core.manifest import Manifest
from tinyproof.core.origin import NeuronTraining

if TYPE_CHECKING:
    from tinyproof.train.descent import DescentStep


@click.command()
@click.option("--learning-rate", type=float, help="Length of a step down the gradient. [default: 0.01]")
@click.option("--steps", type=int, help="Number of steps. [default: 500]")
@click.option("--w", type=float, help="First guess of the slope. [default: 10]")
@click.option("--b", type=float, help="First guess of the intercept. [default: -10]")
@click.option("--seed", type=int, help="Seed of everything random. [default: 1]")
@click.option("--data", metavar="CSV", help="Points to learn from, with the header x,y. [default: the lesson's six]")
@click.option("--model", metavar="NAME", help="Folder in build/ that receives the result. [default: neuron]")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON document instead of a line.")
def command(data: str | None, model: str | None, as_json: bool, **flags: Any) -> None:
    """Train y = wX + b by stochastic gradient descent on the mean squared error, all points in each step.

    Writes model.keras, trace.csv (step, w, b, loss, RMSE and gradient of every step) and manifest.json to
    build/<model>/. Defaults come from tinyproof.toml where there is one. A learning rate that makes the descent
    diverge is an error that names the largest stable one.
    """
    config = load_config(paths.CONFIG_FILE)
    changes = {name: value for name, value in flags.items() if value is not None}
    if data is not None:
        # A path on the command line is relative to where the user is; one in tinyproof.toml, to the project.
        changes["data"] = str(Path(data).absolute())
    training = dataclasses.replace(config.train, **changes)
    config = dataclasses.replace(config, train=training, model=config.model if model is None else model)
    with hold(config.model, makes=True):
        manifest = run_train(config)
    if as_json:
        console.print_json(manifest.as_dict())
    else:
        print_train(manifest)


def run_train(config: Config, folder: Path | None = None) -> Manifest:
    """Train into `folder`, by default build/<model>/, with live progress on stderr. Raises UsageError and
    InputFileError."""
    build_dir = folder or paths.build_dir(config.model)
    from tinyproof.train.training import train_model

    with progress() as bar:
        task = bar.add_task("train", total=config.train.steps, note="loading TensorFlow")

        def show(step: DescentStep) -> None:
            bar.update(task, completed=step.step, note=f"RMSE {step.rmse:.3f}")

        return train_model(config.train, build_dir, show)


def print_train(manifest: Manifest) -> None:
    """The line that `train` and `run` show for a trained neuron."""
    training = manifest.training
    assert isinstance(training, NeuronTraining)
    equation = f"y = {training.w:.3f} x {'-' if training.b < 0 else '+'} {abs(training.b):.3f}"
    steps = f"{training.steps} SGD step{'' if training.steps == 1 else 's'}"
    rmse = f"RMSE {training.rmse_first:.3f} -> {training.rmse_last:.3f}"
    click.echo(stage_line("model", equation, f"{steps}, {rmse}"))
