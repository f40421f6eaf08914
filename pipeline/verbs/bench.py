# SPDX-License-Identifier: Apache-2.0
"""`tinyproof bench`: sizes and speed, by deterministic counts or as ratios within one run."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipeline import console
from pipeline.config import Config, load_config
from pipeline.project import CONFIG_FILE, build_dir

FIT_STEPS = 100


@click.command()
@click.option("--board", help="Board to measure. [default: qemu-cortex-m4]")
@click.option("--model", "extra", type=click.Path(path_type=Path), help="Measure this int8 .tflite file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
def command(board: str | None, extra: Path | None, as_json: bool) -> None:
    """Measure flash, RAM, instructions, round trips and stage times for the neuron and for 1-16-16-1 (sine).

    Instructions come from the emulator's deterministic count; the training loop is compared with plain
    model.fit in the same run. Artefacts are in build/bench-<model>/.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    document = measure(config, extra)
    if as_json:
        console.print_json(document)
    else:
        _print(document)


def measure(config: Config, extra: Path | None) -> dict[str, Any]:
    """All measurements as the document that --json prints."""
    from pipeline.verbs.train import run_train
    from train.builtin import make_sine
    from train.training import speedup_over_fit

    stages: dict[str, float] = {}
    results = []
    neuron = dataclasses.replace(config, model="bench-neuron")
    sine = dataclasses.replace(config, model="bench-sine")
    _timed(stages, "train", lambda: run_train(neuron))
    results.append(_measure_trained(neuron, stages))
    make_sine(build_dir(sine.model))
    results.append(_measure_trained(sine, {}))
    if extra is not None:
        results.append(_measure_file(config, extra))
    seconds, speedup = speedup_over_fit(config.train, FIT_STEPS)
    return {
        "results": results,
        "training": {"seconds": round(seconds, 3), "steps": FIT_STEPS, "speedup_over_fit": round(speedup, 1)},
        "stages": stages,
    }


def _timed(stages: dict[str, float], name: str, work: Callable[[], object]) -> None:
    started = time.perf_counter()
    work()
    stages[name] = round(time.perf_counter() - started, 2)


def _measure_trained(config: Config, stages: dict[str, float]) -> dict[str, Any]:
    from pipeline.verbs.export import run_export

    _timed(stages, "export", lambda: run_export(config))
    return _measure_built(config, stages)


def _measure_file(config: Config, path: Path) -> dict[str, Any]:
    from export.exporting import compile_model
    from pipeline.errors import InputFileError
    from pipeline.manifest import Manifest

    config = dataclasses.replace(config, model=f"bench-{path.stem}")
    folder = build_dir(config.model)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        shutil.copyfile(path, folder / "model.tflite")
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give an int8 .tflite file") from error
    compile_model(folder, Manifest(config.model))
    return _measure_built(config, {})


def _measure_built(config: Config, stages: dict[str, float]) -> dict[str, Any]:
    from pipeline.verbs.build import run_build
    from pipeline.verbs.check import run_check

    built: Any = None
    report: Any = None

    def build() -> None:
        nonlocal built
        built = run_build(config)

    def check() -> None:
        nonlocal report
        report = run_check(config, None)

    _timed(stages, "build", build)
    _timed(stages, "check", check)
    return {
        "model": config.model.removeprefix("bench-"),
        "board": config.board,
        "engine": report.engine,
        "engine_flash_bytes": built.engine_flash_bytes,
        "engine_ram_bytes": built.engine_ram_bytes,
        "instructions_per_inference": report.ticks_max,
        "startup_instructions": report.startup_ticks,
        "round_trips_per_second": report.round_trips_per_second,
        "bits_checked": report.bits_checked,
        "bits_different": report.bits_different,
    }


def _print(document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("model", "flash B", "RAM B", "insn/inference", "start-up insn", "round trips/s", "bits"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in document["results"]:
        same = row["bits_checked"] - row["bits_different"]
        table.add_row(
            row["model"],
            f"{row['engine_flash_bytes']:,}",
            f"{row['engine_ram_bytes']:,}",
            f"{row['instructions_per_inference']:,}",
            f"{row['startup_instructions']:,}",
            f"{row['round_trips_per_second']:,.0f}",
            f"{same} of {row['bits_checked']}",
        )
    out = console.stdout()
    out.print(f"board {document['results'][0]['board']}, engine {document['results'][0]['engine']}")
    out.print(table)
    training = document["training"]
    out.print(
        f"training {training['steps']} steps in {training['seconds']:.3f} s,"
        f" {training['speedup_over_fit']:.0f} times as fast as model.fit in this run"
    )
    out.print("stages   " + ", ".join(f"{name} {value:.1f} s" for name, value in document["stages"].items()))
