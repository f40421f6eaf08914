# SPDX-License-Identifier: Apache-2.0
"""`tinyproof bench`: sizes and speed, by deterministic counts or as ratios within one run."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import click

from tinyproof.builds import Wanted, import_file
from tinyproof.cli import console
from tinyproof.cli.fleet_option import FleetWanted, fleet_options, fleet_wanted
from tinyproof.cli.model_option import calibration_option
from tinyproof.cli.stage_timer import Stages, in_words
from tinyproof.cli.step_summary import add_bench
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import InputFileError, MismatchError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.model_file import find_model_file
from tinyproof.core.paths import BUILD, CONFIG_FILE, build_dir
from tinyproof.layer_counts import (
    GROWTH,
    counted_boards,
    differences,
    is_counted,
    measure_layers,
    read_rows,
    write_rows,
)

FIT_STEPS = 100
TINYPERF = BUILD / "tinyperf"
EXAMPLE = BUILD / "example"


@click.command()
@click.option("--board", help="Board to measure. [default: qemu-cortex-m4]")
@click.option("--model", "extra", metavar="FILE", help="Measure this model, too: .tflite, .keras, a SavedModel folder.")
@calibration_option
@click.option(
    "--tinyperf",
    is_flag=True,
    help="Measure the four MLPerf Tiny architectures, too, and again with dead channels (some minutes).",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare the layers with an earlier --json or --record.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the layers of all models on all boards (minutes).",
)
@fleet_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
def command(
    board: str | None,
    extra: str | None,
    calibration: Path | None,
    tinyperf: bool,
    compare: Path | None,
    record: Path | None,
    fleet: tuple[str, ...],
    coordinator: str | None,
    wait: float | None,
    as_json: bool,
) -> None:
    """Measure flash, RAM, instructions, cycles, round trips and stage times for the neuron and for 1-16-16-1 (sine).

    Instructions come from the emulator's deterministic count, cycles from its instructions by the manual of the core
    (Cortex-M4); the training loop is compared with plain model.fit in the same run. Artefacts are in
    build/bench-<model>/. With --fleet, what the boards of a fleet answer, how fast, and what the fleet takes beside it.

    \b
    ./tinyproof bench --compare tests/instructions.json   # exits 1 where a layer grew by more than 1 %
    ./tinyproof bench --record tests/instructions.json    # after such a change, if it is wanted
    """
    others = {"board": board, "model": extra, "calibration": calibration, "tinyperf": tinyperf}
    asked = fleet_wanted(fleet, coordinator, wait, **others, compare=compare, record=record)
    config = load_config(CONFIG_FILE)
    if asked is not None:
        _bench_fleet(config, asked, as_json=as_json)
        return
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)
    if record is not None:
        if board or extra or calibration or tinyperf or compare or as_json:
            raise UsageError("--record measures all models on all boards: give it no other option")
        write_rows(record, measure_record(config))
        return
    recorded = [] if compare is None else read_rows(compare)
    files = [] if extra is None else [(extra, calibration)]
    document = measure(config, files, tinyperf=tinyperf)
    if as_json:
        console.print_json(document)
    else:
        _print(document)
    add_bench(document["results"])
    if compare is not None:
        _compare(recorded, document["results"], compare)


def _bench_fleet(config: Config, asked: FleetWanted, *, as_json: bool) -> None:
    """Raises what the worst of the boards stands for."""
    from tinyproof.cli.bench_fleet import as_bench_document, bench_fleet, print_bench_fleet
    from tinyproof.fleet_checking import fault_of

    found = bench_fleet(config, asked)
    if as_json:
        console.print_json(as_bench_document(found))
    else:
        print_bench_fleet(found)
    if fault := fault_of([row for _, row in found]):
        raise fault


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
        files = [*_tinyperf_files(dead=True), *files]
    results += [_measure_file(config, file, samples) for file, samples in files]
    seconds, speedup = speedup_over_fit(config.train, FIT_STEPS)
    return {
        "results": results,
        "training": {"seconds": round(seconds, 3), "steps": FIT_STEPS, "speedup_over_fit": round(speedup, 1)},
        "stages": stages.seconds,
    }


def measure_record(config: Config) -> list[dict[str, Any]]:
    """The layers of all models that are made here, on all boards that count instructions and that they fit on."""
    from tinyproof.builds import run_export
    from tinyproof.cli.verbs.train import run_train
    from tinyproof.train.builtin import make_sine
    from tinyproof.train.gestures import make_gestures

    neuron = dataclasses.replace(config, model="bench-neuron")
    sine = dataclasses.replace(config, model="bench-sine")
    run_train(neuron)
    make_sine(build_dir(sine.model))
    for trained in (neuron, sine):
        run_export(trained)
    example = make_gestures(EXAMPLE)
    files = [(str(example.model), example.calibration), *_tinyperf_files()]
    rows = []
    for made in (neuron, sine, *(_import(config, file, samples) for file, samples in files)):
        folder = build_dir(made.model)
        for board in counted_boards((folder / "model.tflite").read_bytes()):
            click.echo(f"{_shown(made)} on {board.name}", err=True)
            layers = measure_layers(board, folder, config.check)
            rows.append({"model": _shown(made), "board": board.name, "layers": layers})
    return rows


def _tinyperf_files(*, dead: bool = False) -> list[tuple[str, Path]]:
    """The four architectures and their samples; with `dead` also with dead channels, of a fresh seed."""
    from tinyproof.train.tinyperf import MODELS, make_tinyperf

    made = [make_tinyperf(name, TINYPERF) for name in MODELS]
    if dead:
        seed = random.SystemRandom().getrandbits(32)
        console.remark(f"weights of the models with dead channels: seed {seed}")
        made += [make_tinyperf(name, TINYPERF, seed, dead=True) for name in MODELS]
    return [(str(model), samples) for model, samples in made]


def _shown(config: Config) -> str:
    """What tables call the model."""
    return config.model.removeprefix("bench-")


def _measure_trained(config: Config, stages: Stages) -> dict[str, Any]:
    from tinyproof.builds import run_export

    stages.run("export", lambda: run_export(config))
    return _measure_built(config, stages)


def _measure_file(config: Config, file: str, calibration: Path | None) -> dict[str, Any]:
    return _measure_built(_import(config, file, calibration), Stages())


def _import(config: Config, file: str, calibration: Path | None) -> Config:
    """As a build of its own, whatever build of that name somebody else has."""
    found = find_model_file(file)
    if found is None:
        raise InputFileError(f"{file}: no such file; give a .tflite, a .keras, or a SavedModel folder")
    name = f"bench-{found.name}"
    return import_file(config, dataclasses.replace(found, name=name), Wanted(calibration, name=name))[0]


def _measure_built(config: Config, stages: Stages) -> dict[str, Any]:
    from tinyproof.builds import run_build
    from tinyproof.cli.ask_board import run_check
    from tinyproof.host.throughput import round_trips_per_second

    board, folder = find_board(config.board), build_dir(config.model)
    built = stages.run("build", lambda: run_build(config))
    report = stages.run("check", lambda: run_check(config, None))
    manifest = read_manifest(folder)
    memory = manifest.memory
    assert memory is not None  # it was exported to be built
    rate = report.bits.round_trips_per_second
    if manifest.inputs[0].bytes == 1:  # a check of few vectors is over before the emulator has warmed up
        rate = round_trips_per_second(board, folder, config.check, "q 0")
    return {
        "model": _shown(config),
        "macs": memory.macs,
        "board": config.board,
        "engine": report.engine,
        "engine_flash_bytes": built.engine_flash_bytes,
        "engine_ram_bytes": built.engine_ram_bytes,
        "arena_bytes": memory.arena_bytes,
        "tflm_arena_bytes": memory.tflm_arena_bytes,
        "instructions_per_inference": report.bits.ticks_max,
        "cycles_per_inference": _cycles(board, folder, config),
        "startup_instructions": report.startup_ticks,
        "round_trips_per_second": round(rate, 1),
        "bits_checked": report.bits.checked,
        "bits_different": report.bits.different,
        "layers": _layers(board, folder, config),
    }


def _cycles(board: Board, folder: Path, config: Config) -> int | None:
    """Most that one of a few inputs takes; None on a board whose core has no cycle model."""
    if not board.cycle_model:
        return None
    from tinyproof.host.cycles.measuring import inference_cycles
    from tinyproof.host.step_trace import sample_inputs

    return max(inference_cycles(board, folder, sample_inputs(folder), config.check))


def _layers(board: Board, folder: Path, config: Config) -> list[dict[str, Any]]:
    """None are told apart on a board that counts no instructions, or of a model with IF or WHILE."""
    if not is_counted(board):
        return []
    from tinyproof.export.profile_codegen import can_be_profiled

    return measure_layers(board, folder, config.check) if can_be_profiled(folder) else []


def _compare(recorded: list[dict[str, Any]], measured: list[dict[str, Any]], file: Path) -> None:
    """Says to stderr what differs, for stdout may be the document. Raises MismatchError where something grew."""
    found = differences(recorded, measured)
    for one in found:
        click.echo(f"{'GREW' if one.grew else 'changed':<9}{one}", err=True)
    grown = [one for one in found if one.grew]
    if grown:
        raise MismatchError(f"{len(grown)} counts grew by more than {GROWTH:.0%} over those in {file}")
    click.echo(f"compare  nothing grew by more than {GROWTH:.0%} over {file}", err=True)


def _print(document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("model", "MACs", "flash B", "RAM B", "TFLM RAM", "insn", "cycles", "trips/s", "bits"):
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
            "-" if row["cycles_per_inference"] is None else f"{row['cycles_per_inference']:,}",
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
