# SPDX-License-Identifier: Apache-2.0
"""The export stage: what is written, in which order, and what the manifest says about it."""

from __future__ import annotations

from pathlib import Path

from export.emitting import emit_header, emit_model_data, emit_source
from export.lowering import lower
from export.memory import plan_memory
from export.vectors import format_vectors, make_vectors
from pipeline.manifest import Manifest, Tensor, model_id
from pipeline.reference import Reference
from pipeline.tflite import graph as tflite_graph
from pipeline.tflite.reader import read_file, read_graph

ARTEFACTS = (
    "model.tflite",
    "model_data.c",
    "model_data.h",
    "model_compiled.c",
    "model_compiled.h",
    "vectors.json",
)
DEFAULT_SEED = 1


def compile_model(build_dir: Path, manifest: Manifest) -> None:
    """model.tflite in `build_dir` -> C, vectors and manifest.json; `manifest` is completed and written. No TensorFlow.

    Raises InputFileError naming the operator or tensor that is not supported.
    """
    tflite = read_file(build_dir / "model.tflite")
    graph = read_graph(tflite)
    program = lower(graph)
    plan = plan_memory(program)
    manifest.model_id = model_id(tflite)
    seed = manifest.seeds.setdefault("vectors", manifest.seeds.get("export", DEFAULT_SEED))
    vectors = make_vectors(Reference(tflite), seed)
    data_header, data_source = emit_model_data(tflite, manifest.model_id)
    files = {
        "model_data.h": data_header,
        "model_data.c": data_source,
        "model_compiled.h": emit_header(program, plan, manifest.model_id),
        "model_compiled.c": emit_source(program, plan, manifest.model_id),
        "vectors.json": format_vectors(vectors),
    }
    for name, text in files.items():
        (build_dir / name).write_text(text, encoding="utf-8")
    manifest.inputs = [_tensor(program.input)]
    manifest.outputs = [_tensor(program.output)]
    manifest.memory = {
        "arena_bytes": plan.arena_bytes,
        "tensor_bytes": plan.tensor_bytes,
        "macs": program.macs,
        "operators": [op.operator.name for op in program.ops],
    }
    for name in ARTEFACTS:
        manifest.add_artefact(build_dir / name)
    manifest.write(build_dir)


def _tensor(tensor: tflite_graph.Tensor) -> Tensor:
    return Tensor(
        tensor.name, list(tensor.shape), tensor.dtype, tensor.scales[0], tensor.zero_points[0], tensor.elements
    )
