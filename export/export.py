# SPDX-License-Identifier: Apache-2.0
"""The export stage: what is written, in which order, and what the manifest says about it."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.config import CheckConfig, ExportConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.files import replaced_whole
from tinyproof.core.manifest import FILE, AskedRange, Manifest, MemoryUse, TensorSpec, model_id, read_manifest
from tinyproof.core.origin import SineTraining
from tinyproof.core.paths import shown
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.arithmetic import float32
from tinyproof.core.tflite.graph import Tensor
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.codegen import emit_header, emit_source
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import plan_over_time
from tinyproof.export.model_data import emit_model_data
from tinyproof.export.schedules import schedule
from tinyproof.export.tflm_header import arena_bytes, emit_tflm_header
from tinyproof.export.tolerance import CURVE_FILE, expect_answers, float_curve, quantization_report, set_tolerance
from tinyproof.export.vectors.choosing import format_vectors, make_vectors

TFLITE_FILE = "model.tflite"
ARTEFACTS = (
    TFLITE_FILE,
    "model_data.c",
    "model_data.h",
    "model_compiled.c",
    "model_compiled.h",
    "model_tflm.h",
    "vectors.json",
)
DEFAULT_SEED = 1


@dataclass(frozen=True)
class _Compiled:
    program: Program
    vectors: dict[str, Any]


def export_model(
    config: ExportConfig,
    check: CheckConfig,
    build_dir: Path,
    *,
    dense_per_tensor: bool = False,
    keep_dead: bool = False,
    ram: str = "",
) -> Manifest:
    """Quantize build_dir/model.keras over [config.low, config.high] and compile it; completes manifest.json.

    A model whose training data states a range of its own ("low" and "high", as the built-in sine does) is calibrated
    over that one. `keep_dead`: as in lowering.lower; `ram`: as in schedules.schedule.

    Raises UsageError for a range that is none and for a missing model, InputFileError for a damaged one.
    """
    low, high = config.low, config.high
    if not (math.isfinite(float32(low)) and math.isfinite(float32(high)) and float32(low) < float32(high)):
        raise UsageError(f"the range of x must go up, not from {low:g} to {high:g}; see --low and --high")
    if not 0 <= config.seed < 2**32:
        raise UsageError(f"export.seed must be from 0 to {2**32 - 1:,}, not {config.seed:,}")
    if not (build_dir / "model.keras").is_file():
        raise UsageError(f"{shown(build_dir)} has no model.keras; run ./tinyproof train first")
    with replaced_whole(build_dir, FILE) as folder:
        return _export(config, check, folder, dense_per_tensor=dense_per_tensor, keep_dead=keep_dead, ram=ram)


def _export(
    config: ExportConfig, check: CheckConfig, build_dir: Path, *, dense_per_tensor: bool, keep_dead: bool, ram: str
) -> Manifest:
    low, high = config.low, config.high
    manifest = read_manifest(build_dir)
    if isinstance(manifest.training, SineTraining):
        low, high = manifest.training.data.low, manifest.training.data.high
    manifest.seeds["export"] = manifest.seeds["vectors"] = config.seed

    from tinyproof.export.keras_quantizer import GRID, float_answers, load_keras_model, quantize_model

    model = load_keras_model(build_dir / "model.keras")
    (build_dir / TFLITE_FILE).write_bytes(
        quantize_model(model, low, high, config.seed, dense_per_tensor=dense_per_tensor)
    )
    compiled = _compile(build_dir, manifest, keep_dead=keep_dead, ram=ram)
    manifest.quantization = AskedRange(low, high)
    manifest.expected, manifest.tolerance = [], None
    (build_dir / CURVE_FILE).unlink(missing_ok=True)
    manifest.artefacts.pop(CURVE_FILE, None)
    if manifest.inputs[0].bytes == manifest.outputs[0].bytes == 1:
        import numpy as np

        def evaluate(x: Sequence[float]) -> list[float]:
            column = np.array(x, np.float32).reshape(-1, *model.inputs[0].shape[1:])
            return [float(y) for y in float_answers(model, column).reshape(-1)]

        x = np.linspace(low, high, GRID, dtype=np.float32).tolist()
        answers = [_signed(vector["out"]) for vector in compiled.vectors["vectors"]]
        manifest.quantization = quantization_report(manifest, x, evaluate(x), lambda q: answers[q + 128])
        (build_dir / CURVE_FILE).write_text(float_curve(manifest, evaluate), encoding="utf-8", newline="\n")
        manifest.add_artefact(build_dir / CURVE_FILE)
    expect_answers(manifest, check)
    set_tolerance(manifest, compiled.program.graph)
    manifest.write(build_dir)
    return manifest


def compile_model(
    build_dir: Path, manifest: Manifest, *, keep_dead: bool = False, ram: str = "", samples: Sequence[bytes] = ()
) -> None:
    """model.tflite in `build_dir` -> C, vectors and manifest.json; `manifest` is completed and written. No TensorFlow.
    `samples`: inputs of a user's, from which vectors are chosen, too.

    Raises InputFileError naming the operator or tensor that is not supported.
    """
    _compile(build_dir, manifest, keep_dead=keep_dead, ram=ram, samples=samples)
    manifest.write(build_dir)


def _compile(
    build_dir: Path, manifest: Manifest, *, keep_dead: bool, ram: str, samples: Sequence[bytes] = ()
) -> _Compiled:
    tflite = read_file(build_dir / TFLITE_FILE)
    graph = read_graph(tflite)
    choice = schedule(lower(graph, keep_dead=keep_dead), ram)
    program, plan = choice.program, choice.plan
    identity = model_id(tflite)
    seed = manifest.seeds.setdefault("vectors", DEFAULT_SEED)
    reference = Reference(tflite, graph=graph)
    vectors = make_vectors(tflite, graph, reference, seed, macs=program.macs, samples=samples)
    tflm_arena_bytes = arena_bytes(tflite, graph)
    data_header, data_source = emit_model_data(tflite, identity)
    files = {
        "model_data.h": data_header,
        "model_data.c": data_source,
        "model_compiled.h": emit_header(program, plan, identity),
        "model_compiled.c": emit_source(program, plan, identity),
        "model_tflm.h": emit_tflm_header(graph, identity, tflm_arena_bytes),
        "vectors.json": format_vectors(vectors),
    }
    for name, text in files.items():
        (build_dir / name).write_text(text, encoding="utf-8", newline="\n")
    manifest.model_id = identity
    manifest.inputs = [_tensor(tensor) for tensor in program.inputs]
    manifest.outputs = [_tensor(tensor) for tensor in program.outputs]
    manifest.memory = MemoryUse(
        arena_bytes=plan.arena_bytes,
        tflm_arena_bytes=tflm_arena_bytes,
        tensor_bytes=plan.tensor_bytes,
        macs=program.macs,
        operators=[member.operator.name for op in program.ops for member in op.members],
        state_bytes=program.state_bytes,
        keep_dead=keep_dead,
        removed=program.removed,
        ram=ram,
        plan=plan_over_time(program, plan),
    )
    manifest.versions["reference"] = _reference_version(reference)
    for name in ARTEFACTS:
        manifest.add_artefact(build_dir / name)
    return _Compiled(program, vectors)


def _reference_version(reference: Reference) -> str:
    if reference.name == "tflite-micro":
        return f"tflite-micro {importlib.metadata.version('tflite-micro')}"
    return reference.name


def _signed(out: str) -> int:
    return int.from_bytes(bytes.fromhex(out), "little", signed=True)


def _tensor(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tensor.name, list(tensor.shape), tensor.dtype, *tensor.quantization, tensor.bytes)
