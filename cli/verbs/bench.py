# SPDX-License-Identifier: Apache-2.0
"""`tinyproof bench`: sizes and speed, by deterministic counts or as ratios within one run."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import Wanted, calibration_option, import_file
from tinyproof.cli.stage_timer import Stages, in_words
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import InputFileError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.model_file import find_model_file
from tinyproof.core.paths import BUILD, CONFIG_FILE, build_dir

FIT_STEPS = 100
TINYPERF = BUILD / "tinyperf"


@click.command()
@click.option("--board", help="Board to measure. [default: qemu-cortex-m4]")
@click.option("--model", "extra", metavar="FILE", help="Measure this model, too: .tflite, .keras, a SavedModel folder.")
@calibration_option
@click.option(
    "--tinyperf",
    is_flag=True,
    help="Measure the four MLPerf Tiny architectures, too, and again with dead channels (some minutes).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
def command(board: str | None, extra: str | None, calibration: Path | None, tinyperf: bool, as_json: bool) -> None:
    """Measure flash, RAM, instructions, round trips and stage times for the neuron and for 1-16-16-1 (sine).

    Instructions come from the emulator's deterministic count; the training loop is compared with plain
    model.fit in the same run. Artefacts are in build/bench-<model>/.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)
    files = [] if extra is None else [(extra, calibration)]
    document = measure(config, files, tinyperf=tinyperf)
    if as_json:
        console.print_json(document)
    else:
        _print(document)


def measure(config: Config, files: list[tuple[str, Path | None]], *, tinyperf: bool) -> dict[str, Any]:
    """All measurements as the document that --json prints; `files`: further models and their calibration samples."""
    from tinyproof.cli.verbs.train import run_train
    from tinyproof.train.builtin import make_sine
    from tinyproof.train.training import speedup_over_fit

    stages = Stages()
    results = []
    neuron = dataclasses.replace(config, model="bench-neuron")
    sine = dataclasses.replace(config, model="bench-sine")
    stages.run("train", lambda: run_train(neuron))
    results.append(_measure_trained(neuron, stages))
    make_sine(build_dir(sine.model))
    results.append(_measure_trained(sine, Stages()))
    if tinyperf:
        from tinyproof.train.tinyperf import MODELS, make_tinyperf

        seed = random.SystemRandom().getrandbits(32)
        console.stderr().print(f"weights of the models with dead channels: seed {seed}")
        made = [make_tinyperf(name, TINYPERF) for name in MODELS]
        made += [make_tinyperf(name, TINYPERF, seed, dead=True) for name in MODELS]
        files = [*((str(model), samples) for model, samples in made), *files]
    results += [_measure_file(config, file, samples) for file, samples in files]
    seconds, speedup = speedup_over_fit(config.train, FIT_STEPS)
    return {
        "results": results,
        "training": {"seconds": round(seconds, 3), "steps": FIT_STEPS, "speedup_over_fit": round(speedup, 1)},
        "stages": stages.seconds,
    }


def _measure_trained(config: Config, stages: Stages) -> dict[str, Any]:
    from tinyproof.cli.verbs.export import run_export

    stages.run("export", lambda: run_export(config))
    return _measure_built(config, stages)


def _measure_file(config: Config, file: str, calibration: Path | None) -> dict[str, Any]:
    found = find_model_file(file)
    if found is None:
        raise InputFileError(f"{file}: no such file; give a .tflite, a .keras, or a SavedModel folder")
    return _measure_built(import_file(config, found, Wanted(calibration))[0], Stages())


def _measure_built(config: Config, stages: Stages) -> dict[str, Any]:
    from tinyproof.cli.ask_board import run_check
    from tinyproof.cli.verbs.build import run_build
    from tinyproof.host.throughput import round_trips_per_second

    built = stages.run("build", lambda: run_build(config))
    report = stages.run("check", lambda: run_check(config, None))
    manifest = read_manifest(build_dir(config.model))
    memory = manifest.memory
    assert memory is not None  # it was exported to be built
    rate = report.bits.round_trips_per_second
    if manifest.inputs[0].bytes == 1:  # a check of few vectors is over before the emulator has warmed up
        board = find_board(config.board)
        rate = round_trips_per_second(board, build_dir(config.model), config.check, "q 0")
    return {
        "model": config.model.removeprefix("bench-"),
        "macs": memory.macs,
        "board": config.board,
        "engine": report.engine,
        "engine_flash_bytes": built.engine_flash_bytes,
        "engine_ram_bytes": built.engine_ram_bytes,
        "arena_bytes": memory.arena_bytes,
        "tflm_arena_bytes": memory.tflm_arena_bytes,
        "instructions_per_inference": report.bits.ticks_max,
        "startup_instructions": report.startup_ticks,
        "round_trips_per_second": round(rate, 1),
        "bits_checked": report.bits.checked,
        "bits_different": report.bits.different,
    }


def _print(document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("model", "MACs", "flash B", "RAM B", "TFLM RAM", "insn", "trips/s", "bits"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in document["results"]:
        same = row["bits_checked"] - row["bits_different"]
        table.add_row(
            row["model"],
            f"{row['macs']:,}",
            f"{row['engine_flash_bytes']:,}",
            f"{row['engine_ram_bytes']:,}",
            f"{row['tflm_arena_bytes']:,}",
            f"{row['instructions_per_inference']:,}",
            f"{row['round_trips_per_second']:,.0f}",
            f"{same}/{row['bits_checked']}",
        )
    out = console.stdout()
    first = document["results"][0]
    out.print(
        f"board {first['board']}, engine {first['engine']}, start-up {first['startup_instructions']} instructions;"
        " flash includes the weights"
    )
    out.print(table)
    training = document["training"]
    out.print(
        f"training {training['steps']} steps in {training['seconds']:.3f} s,"
        f" {training['speedup_over_fit']:.0f} times as fast as model.fit in this run"
    )
    out.print(f"stages   {in_words(document['stages'])}")
