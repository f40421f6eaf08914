# SPDX-License-Identifier: Apache-2.0
"""Every operator of a build timed on a board, and compared with the float model where there is one: profile.json."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.builds import Remark, silent
from tinyproof.checking import as_calibrated
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import Config
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.paths import build_dir
from tinyproof.layer_counts import profile_simulated, refuse_wrong_bits

if TYPE_CHECKING:
    from tinyproof.export.profile_codegen import ProfiledOperator
    from tinyproof.host.step_trace import StepTrace

FILE = "profile.json"
NOISE_SAMPLES = 32


def run_profile(
    config: Config,
    port: str | None,
    dataset: Path | None,
    *,
    noise: bool,
    remark: Remark = silent,
    values: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Measures config.model on config.board and writes profile.json. `values`: as in DataForm, of the data set.

    Raises MismatchError where the bits are not the golden reference's: then the times mean nothing.
    """
    from tinyproof.firmware.platformio_build import check_artefacts

    board, folder = find_board(config.board), build_dir(config.model)
    if board.kind == "host" or board.engine != "compiled":
        raise UsageError(f"board {board.name} cannot be profiled; take one with the compiled engine")
    identity = check_artefacts(folder).model_id
    if board.kind == "serial":
        steps, seen = _profile_real(board, folder, identity, port, config)
    else:
        if port is not None:
            raise UsageError(f"board {board.name} is simulated and is started here; leave out --port")
        steps, seen = profile_simulated(board, folder, config.check)
    document = _document(config, identity, board, steps, [one.ticks for one in seen])
    _add_cycles(document, [one.cycles for one in seen])
    layers = {entry["index"]: entry for entry in _noise(folder, dataset, values, remark)} if noise else {}
    for operator in document["operators"]:
        operator["sqnr_db"] = layers.get(operator["index"], {}).get("sqnr_db")
        operator["noise_added"] = layers.get(operator["index"], {}).get("added")
        for end in ("float_low", "float_high"):
            operator[end] = layers.get(operator["index"], {}).get(end)
    if layers:
        document["noise_samples"] = dataset.name if dataset else "the build's vectors"
    target = folder / "boards" / board.name
    target.mkdir(parents=True, exist_ok=True)
    write_at_once(keep_inside(target, folder) / FILE, json.dumps(document, indent=1) + "\n")
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
    from tinyproof.firmware.platformio_build import compile_profile
    from tinyproof.firmware.upload import upload_of
    from tinyproof.host.targets.flash import choose_port, flash
    from tinyproof.host.targets.loader import in_loader
    from tinyproof.host.transport.usb import list_plugged

    chosen = choose_port(board, port, list_plugged())
    compile_profile(board, folder)
    upload = in_loader(board, upload_of(board, folder, profile=True))
    return flash(board, identity, chosen, upload, config.check).port


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


def _noise(
    folder: Path, dataset: Path | None, values: tuple[float, float] | None, remark: Remark
) -> list[dict[str, Any]]:
    """SQNR of each operator; empty where no float model is at hand, or no TensorFlow to run it."""
    from tinyproof.core.tensorflow_settings import require_tensorflow
    from tinyproof.export.layer_sqnr import float_model, layer_noise

    try:
        original = float_model(folder)  # of a trained build TensorFlow makes it
        if original is None:
            return []
        require_tensorflow("SQNR, which compares with the float model,")
    except EnvironmentFaultError as error:
        remark(error.message)
        return []
    return [dataclasses.asdict(entry) for entry in layer_noise(original, *_samples(folder, dataset, values))]


def _samples(folder: Path, dataset: Path | None, values: tuple[float, float] | None) -> tuple[bytes, Any]:
    """(model.tflite, real inputs [N, elements of all inputs])."""
    import numpy as np

    from tinyproof.core.data_set import DataForm, read_dataset
    from tinyproof.core.manifest import read_manifest
    from tinyproof.core.tflite.tensor_layout import TensorLayout
    from tinyproof.host.step_trace import sample_inputs

    manifest = read_manifest(folder)
    x = TensorLayout(tuple(manifest.inputs))
    tflite = (folder / "model.tflite").read_bytes()
    if dataset is not None:
        samples = read_dataset(dataset, x.tensors, form=as_calibrated(DataForm(values=values, labels=False), manifest))
        rows = samples.x[:NOISE_SAMPLES]
        return tflite, np.array([x.dequantize(q.tolist()) for q in rows]) if samples.quantized else rows
    return tflite, np.array([x.dequantize(x.values(content)) for content in sample_inputs(folder, NOISE_SAMPLES)])
