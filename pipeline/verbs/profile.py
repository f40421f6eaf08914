# SPDX-License-Identifier: Apache-2.0
"""`tinyproof profile`: which operator takes the time, and which one loses the accuracy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from pipeline import console
from pipeline.boards import find_board
from pipeline.config import Config, load_config
from pipeline.errors import UsageError
from pipeline.project import CONFIG_FILE, build_dir
from pipeline.verbs.models import model_option, select_model

FILE = "profile.json"
NOISE_SAMPLES = 32


@click.command()
@click.option("--board", help="Simulated board to measure on. [default: qemu-cortex-m4]")
@model_option
@click.option("--dataset", type=click.Path(path_type=Path), metavar="FILE", help="Samples for the accuracy of layers.")
@click.option("--no-noise", is_flag=True, help="Leave out the comparison with the float model, and TensorFlow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(board: str | None, model: str | None, dataset: Path | None, no_noise: bool, as_json: bool) -> None:
    """Time every operator on a board, and compare every layer with the float model where there is one.

    Builds a second firmware, around the same generated C, that times the operators one by one; the normal build stays
    as it is. SQNR is the signal to quantization noise ratio behind each operator; `added` is the share of the signal
    that becomes noise in it. Samples are those of --dataset, or else the build's random vectors, which are no real
    data. The result is also in build/<model>/boards/<board>/profile.json.
    """
    config = load_config(CONFIG_FILE)
    config = select_model(dataclasses.replace(config, board=board or config.board), model)
    document = run_profile(config, dataset, noise=not no_noise)
    if as_json:
        console.print_json(document)
    else:
        print_profile(document)


def run_profile(config: Config, dataset: Path | None, *, noise: bool) -> dict[str, Any]:
    """Measures config.model on config.board and writes profile.json."""
    from export.profiling import write_profile
    from firmware.building import build_profile, check_artefacts
    from host.profiling import measure_steps

    board, folder = find_board(config.board), build_dir(config.model)
    if board.kind != "simulated" or board.engine != "compiled":
        raise UsageError(f"board {board.name} cannot be profiled; take a simulated one with the compiled engine")
    identity = check_artefacts(folder)
    steps = write_profile(folder)
    times = measure_steps(board, folder, build_profile(board, folder), len(steps), config.check)
    layers = {entry["index"]: entry for entry in _noise(folder, dataset)} if noise else {}
    total = sum(sum(column) / len(times) for column in zip(*times, strict=True))
    operators = []
    for step, column in zip(steps, zip(*times, strict=True), strict=True):
        mean = sum(column) / len(column)
        operators.append(
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
                "sqnr_db": layers.get(step.index, {}).get("sqnr_db"),
                "noise_added": layers.get(step.index, {}).get("added"),
            }
        )
    document = {
        "model": config.model,
        "model_id": identity,
        "board": board.name,
        "tick_unit": board.tick_unit,
        "inputs": len(times),
        "ticks": round(total),
        "macs": sum(step.macs for step in steps),
        "noise_samples": dataset.name if dataset and layers else "random vectors" if layers else None,
        "operators": operators,
    }
    target = folder / "boards" / board.name
    target.mkdir(parents=True, exist_ok=True)
    (target / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document


def _noise(folder: Path, dataset: Path | None) -> list[dict[str, Any]]:
    """SQNR of each operator; empty where no float model is at hand."""
    from export.noise import float_model, layer_noise

    original = float_model(folder)
    if original is None:
        return []
    return [dataclasses.asdict(entry) for entry in layer_noise(original, *_samples(folder, dataset))]


def _samples(folder: Path, dataset: Path | None) -> tuple[bytes, Any]:
    """(model.tflite, real inputs [N, elements])."""
    import numpy as np

    from pipeline.datasets import read_dataset
    from pipeline.manifest import read_manifest

    x = read_manifest(folder).inputs[0]
    tflite = (folder / "model.tflite").read_bytes()
    if dataset is not None:
        samples = read_dataset(dataset, x.bytes)
        values = samples.x[:NOISE_SAMPLES].astype(np.float32)
        return tflite, x.scale * (values - x.zero_point) if samples.quantized else values
    vectors = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))["vectors"]
    chosen = vectors[:: max(1, len(vectors) // NOISE_SAMPLES)][:NOISE_SAMPLES]
    q = np.array([np.frombuffer(bytes.fromhex(vector["in"]), np.int8) for vector in chosen], np.float32)
    return tflite, x.scale * (q - x.zero_point)


def print_profile(document: dict[str, Any]) -> None:
    """One line for each operator, and which of them to look at."""
    unit, operators = document["tick_unit"], document["operators"]
    click.echo(
        f"profile  {document['model']} on {document['board']}: {document['ticks']:,} {unit}, {document['macs']:,} MACs"
    )
    with_noise = document["noise_samples"] is not None
    titles = ["", "operator", "output", "MACs", unit, "share", f"MAC/{unit}"]
    rows = [titles + (["SQNR dB", "added"] if with_noise else [])]
    for op in operators:
        row = [
            *(str(op["index"]), op["name"], "x".join(map(str, op["output"])), f"{op['macs']:,}", f"{op['ticks']:,}"),
            f"{op['share']:.1%}",
            "-" if op["macs_per_tick"] is None else f"{op['macs_per_tick']:.3f}",
        ]
        if with_noise:
            row.append("-" if op["sqnr_db"] is None else f"{op['sqnr_db']:.1f}")
            row.append("-" if op["noise_added"] is None else f"{op['noise_added']:.2%}")
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [c.ljust(w) if i in (1, 2) else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        click.echo("  ".join(cells).rstrip())
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
