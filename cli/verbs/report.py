# SPDX-License-Identifier: Apache-2.0
"""`tinyproof report`: the build as one page that can be handed in, shown or attached."""

from __future__ import annotations

from pathlib import Path

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold, model_option, select_model
from tinyproof.core.config import Config, load_config
from tinyproof.core.paths import CONFIG_FILE, build_dir, shown


@click.command()
@model_option
@click.option("--json", "as_json", is_flag=True, help="Print the paths as one JSON document.")
def command(model: str | None, as_json: bool) -> None:
    """Write build/<model>/report.html and PNGs of its figures in build/<model>/figures/.

    The page holds the lesson step by step, or a brought model's network with the cost of each operator and, after
    `profile` and `check --dataset`, its noise and classes; then quantization, the proof, size and speed. It needs no
    network and no other file. Everything in it comes from the artefacts of the build; a stage that has not run yet is
    named as missing.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(config, model)
    with hold(config.model, shared=True):
        page = run_report(config)
    if as_json:
        console.print_json({"report": shown(page), "figures": [shown(path) for path in figure_files(page)]})
    else:
        print_report(page)


def run_report(config: Config) -> Path:
    """Writes the report of config.model; returns the page's path."""
    from tinyproof.report.writing import write_report

    return write_report(build_dir(config.model))


def training_plot(folder: Path) -> str:
    """RMSE against step, for a terminal of 80 columns or the narrower one that there is."""
    import shutil
    import sys

    from tinyproof.report.build_data import TRACE_FILE, read_trace
    from tinyproof.report.terminal import training_plot as plot

    rows = read_trace(folder / TRACE_FILE)
    return plot(rows, min(80, shutil.get_terminal_size().columns), sys.stdout.encoding or "ascii")


def figure_files(page: Path) -> list[Path]:
    """The figures beside a report, in the order of their names."""
    return sorted((page.parent / "figures").glob("*.png"))


def print_report(page: Path) -> None:
    """One line, aligned with those of the other stages."""
    click.echo(f"report   {shown(page)}   and {len(figure_files(page))} figures as PNG")
