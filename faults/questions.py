# SPDX-License-Identifier: Apache-2.0
"""What a default check of a simulated board asks of a build: its vectors, of some of them all layers, and each layer
alone."""

from __future__ import annotations

import zlib
from pathlib import Path

from tinyproof.core.manifest import read_manifest
from tinyproof.export.compiled import Compiled
from tinyproof.export.profile_codegen import profiled_operators
from tinyproof.faults.native.engine import Questions
from tinyproof.host.expected import load_reference, read_vectors
from tinyproof.host.layer_probes import whole_digests
from tinyproof.host.step_trace import digested_vectors


def questions_of(build_dir: Path, compiled: Compiled) -> Questions:
    """With the golden reference's answers. Of a model of one operator there is nothing but the output to compare."""
    manifest = read_manifest(build_dir)
    vectors = read_vectors(build_dir)
    operators = profiled_operators(build_dir, compiled)
    traced = len(operators) > 1
    numbers = digested_vectors(manifest, vectors) if traced else []
    parts = [part for operator in operators for part in operator.parts]
    reference = load_reference(build_dir, manifest)
    digests = []
    for number in numbers:
        tensors = reference.trace(vectors.inputs[number], [part.index for part in parts])
        digests.append([zlib.crc32(part.of(tensor)) for part, tensor in zip(parts, tensors, strict=True)])
    chosen = set(numbers)
    alone: list[int] = []
    if traced:
        probes = [operator.probe for operator in operators]
        alone = whole_digests(build_dir, manifest, probes, compiled.plan.arena_bytes)
    return Questions(
        vectors.inputs,
        [output for _, output in vectors.pairs],
        [number in chosen for number in range(len(vectors.pairs))],
        digests,
        vectors.sequence,
        operators if traced else [],
        alone,
    )
