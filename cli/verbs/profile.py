# SPDX-License-Identifier: Apache-2.0
"""`tinyproof profile`: which operator takes the time, and which one loses the accuracy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinyproof.cli import console
from tinyproof.cli.layer_counts import profile_simulated, refuse_wrong_bits
from tinyproof.cli.model_option import hold, model_option, select_model
from tinyproof.cli.tables import aligned
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.paths import CONFIG_FILE, build_dir

if TYPE_CHECKING:
    from tinyproof.export.profile_codegen import ProfiledOperator
    from tinyproof.host.step_trace import StepTrace

FILE = "profile.json"
NOISE_SAMPLES = 32


@click.command()
@click.option("--board", help="Board to measure on; a real one needs the compiled engine. [default: qemu-cortex-m4]")
@click.option(
    "--port", help="Serial port of a real board; without one, the only board of this kind that is plugged in."
)
@model_option
@click.option("--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Samples for the accuracy of layers.")
@click.option("--no-noise", is_flag=True, help="Leave out the comparison with the float model, and TensorFlow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(
    board: str | None, port: str | None, model: str | None, dataset: Path | None, no_noise: bool, as_json: bool
) -> None:
    """Time every operator on a board, and compare every layer with the float model where there is one.

    Builds a second firmware, around the same generated C, that runs the operators one by one; the normal build stays
    as it is. A real board is flashed with it: flash your model again afterwards. Cycles, of simulated boards with a
    Cortex-M4, are told from the instructions that ran, by the core's manual and with memory that never waits. SQNR is
    the signal to quantization noise ratio behind each operator; `added` is the share of the signal that becomes noise
    in it. Samples are those of --dataset, or else the build's vectors, which are no real data. The result is
    also in build/<model>/boards/<board>/profile.json.

    Exits 1 where an operator answers other bits than TFLite Micro's, and names it.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    with hold(config.model):
        document = run_profile(config, port, dataset, noise=not no_noise)
    if as_json:
        console.print_json(document)
    else:
        print_profile(document)
        if find_board(config.board).kind == "serial":
            console.print_next(f"./tinyproof flash --board {config.board} puts the model back on the board")


def run_profile(config: Config, port: str | None, dataset: Path | None, *, noise: bool) -> dict[str, Any]:
    """Measures config.model on config.board and writes profile.json.

    Raises MismatchError where the bits are not the golden reference's: then the times mean nothing.
    """
    from tinyproof.firmware.platformio_build import check_artefacts

    board, folder = find_board(config.board), build_dir(config.model)
    if board.kind == "host" or board.engine != "compiled":
        raise UsageError(f"board {board.name} cannot be profiled; take one with the compiled engine")
    identity = check_artefacts(folder)
    if board.kind == "serial":
        steps, seen = _profile_real(board, folder, identity, port, config)
    else:
        if port is not None:
            raise UsageError(f"board {board.name} is simulated and is started here; leave out --port")
        steps, seen = profile_simulated(board, folder, config.check)
    document = _document(config, identity, board, steps, [one.ticks for one in seen])
    _add_cycles(document, [one.cycles for one in seen])
    layers = {entry["index"]: entry for entry in _noise(folder, dataset)} if noise else {}
    for operator in document["operators"]:
        operator["sqnr_db"] = layers.get(operator["index"], {}).get("sqnr_db")
        operator["noise_added"] = layers.get(operator["index"], {}).get("added")
    if layers:
        document["noise_samples"] = dataset.name if dataset else "the build's vectors"
    target = keep_inside(folder / "boards" / board.name, folder)
    write_at_once(target / FILE, json.dumps(document, indent=1) + "\n")
    return document


def _profile_real(
    board: Board, folder: Path, identity: str, port: str | None, config: Config
) -> tuple[list[ProfiledOperator], list[StepTrace]]:
    """As `profile_simulated`, on a real board."""
    from tinyproof.export.profile_codegen import write_profile
    from tinyproof.host.step_trace import ask_steps, sample_inputs

    steps, inputs = write_profile(folder), sample_inputs(folder)
    chosen = _flash(board, folder, identity, port, config)
    seen = ask_steps(board, folder, chosen, [step.parts for step in steps], inputs, config.check)
    refuse_wrong_bits(board, steps, inputs, seen)
    return steps, seen


def _flash(board: Board, folder: Path, identity: str, port: str | None, config: Config) -> str:
    """The profiling firmware onto a real board; returns the port where the board is afterwards."""
    from tinyproof.firmware.platformio_build import build_profile
    from tinyproof.firmware.upload import upload
    from tinyproof.host.targets.flash import choose_port, flash
    from tinyproof.host.transport.usb import list_plugged

    chosen = choose_port(board, port, list_plugged())
    build_profile(board, folder)
    flashed = flash(board, identity, chosen, lambda name: upload(board, folder, name, profile=True), config.check)
    return flashed.port


def _document(
    config: Config, identity: str, board: Board, steps: list[ProfiledOperator], times: list[list[int]]
) -> dict[str, Any]:
    """profile.json without the noise; `times` holds the ticks of each step for each input."""
    columns = list(zip(*times, strict=True))
    means = [sum(column) / len(column) for column in columns]
    total = sum(means)
    operators = [
        {
            "index": step.index,
            "name": step.name,
            "output": step.output,
            "macs": step.macs,
            "ticks": round(mean),
            "ticks_min": min(column),
            "ticks_max": max(column),
            "macs_per_tick": round(step.macs / mean, 4) if mean and step.macs else None,
            "share": round(mean / total, 4) if total else 0.0,
        }
        for step, mean, column in zip(steps, means, columns, strict=True)
    ]
    return {
        "model": config.model,
        "model_id": identity,
        "board": board.name,
        "tick_unit": board.tick_unit,
        "inputs": len(times),
        "ticks": round(total),
        "macs": sum(step.macs for step in steps),
        "noise_samples": None,
        "operators": operators,
    }


def _add_cycles(document: dict[str, Any], cycles: list[tuple[int, ...]]) -> None:
    """The mean over the inputs, of each operator and of all; None on a board whose core has no cycle model."""
    columns = list(zip(*cycles, strict=True))
    means = [sum(column) / len(column) for column in columns]
    for place, operator in enumerate(document["operators"]):
        operator["cycles"] = round(means[place]) if means else None
    document["cycles"] = round(sum(means)) if means else None


def _noise(folder: Path, dataset: Path | None) -> list[dict[str, Any]]:
    """SQNR of each operator; empty where no float model is at hand, or no TensorFlow to run it."""
    from tinyproof.core.tensorflow_settings import require_tensorflow
    from tinyproof.export.layer_sqnr import float_model, layer_noise

    original = float_model(folder)
    if original is None:
        return []
    try:
        require_tensorflow("SQNR, which compares with the float model,")
    except EnvironmentFaultError as error:
        console.stderr().print(error.message)
        return []
    return [dataclasses.asdict(entry) for entry in layer_noise(original, *_samples(folder, dataset))]


def _samples(folder: Path, dataset: Path | None) -> tuple[bytes, Any]:
    """(model.tflite, real inputs [N, elements of all inputs])."""
    import numpy as np

    from tinyproof.core.data_set import read_dataset
    from tinyproof.core.manifest import read_manifest
    from tinyproof.core.tflite.tensor_layout import TensorLayout
    from tinyproof.host.step_trace import sample_inputs

    x = TensorLayout(tuple(read_manifest(folder).inputs))
    tflite = (folder / "model.tflite").read_bytes()
    if dataset is not None:
        samples = read_dataset(dataset, x.tensors)
        values = samples.x[:NOISE_SAMPLES]
        return tflite, np.array([x.dequantize(q.tolist()) for q in values]) if samples.quantized else values
    return tflite, np.array([x.dequantize(x.values(content)) for content in sample_inputs(folder, NOISE_SAMPLES)])


def print_profile(document: dict[str, Any]) -> None:
    """One line for each operator, and which of them to look at."""
    unit, operators = document["tick_unit"], document["operators"]
    with_cycles = document["cycles"] is not None
    total = f"{document['ticks']:,} {unit}" + (f", {document['cycles']:,} cycles" if with_cycles else "")
    click.echo(f"profile  {document['model']} on {document['board']}: {total}, {document['macs']:,} MACs")
    with_noise = document["noise_samples"] is not None
    titles = ["", "operator", "output", "MACs", unit, *(["cycles"] if with_cycles else []), "share", f"MAC/{unit}"]
    rows = [titles + (["SQNR dB", "added"] if with_noise else [])]
    for op in operators:
        row = [
            *(str(op["index"]), op["name"], "x".join(map(str, op["output"])), f"{op['macs']:,}", f"{op['ticks']:,}"),
            *([f"{op['cycles']:,}"] if with_cycles else []),
            f"{op['share']:.1%}",
            "-" if op["macs_per_tick"] is None else f"{op['macs_per_tick']:.3f}",
        ]
        if with_noise:
            row.append("-" if op["sqnr_db"] is None else f"{op['sqnr_db']:.1f}")
            row.append("-" if op["noise_added"] is None else f"{op['noise_added']:.2%}")
        rows.append(row)
    click.echo("\n".join(aligned(rows, right=(0, *range(3, len(rows[0]))))))
    slowest = max(operators, key=lambda op: op["ticks"])
    click.echo(f"slowest  operator {slowest['index']} ({slowest['name']}), {slowest['share']:.1%} of the time")
    noisy = [op for op in operators if op["noise_added"]]
    if noisy:
        worst = max(noisy, key=lambda op: op["noise_added"])
        click.echo(
            f"noisiest operator {worst['index']} ({worst['name']}) adds {worst['noise_added']:.2%} of its signal as"
            f" noise, on {document['noise_samples']}"
        )
    elif not with_noise:
        click.echo("         no float model at hand, or not asked: no SQNR")
