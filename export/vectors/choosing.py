# SPDX-License-Identifier: Apache-2.0
"""Questions with known bits: inputs, and the outputs of the golden reference."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.ends import Ends, device_ends
from tinyproof.core.tflite.graph import Graph
from tinyproof.export.vectors import candidates
from tinyproof.export.vectors.coverage import measure
from tinyproof.export.vectors.search import Search

VECTORS = 256
LARGE_INPUT_BYTES = 256  # beyond it a vector costs a noticeable time on a serial line
VECTORS_LARGE = 32
LARGE_STATEFUL_BYTES = 4096  # a frame of a streaming model is small, and only many of them say anything

# Inferences that choosing may take: so many multiply-accumulates, a second or two of TFLite Micro. More of them were
# tried, and found no more.
SEARCH_MACS = 800_000_000
RUNS = range(160, 1000)
FAULT_SHARE = 0.2  # of as many inferences, for each a fault that the coverage is measured by,
MANY_FAULTS = 48  # and at least that many
FEW_FAULTS = 24  # where each costs many frames, or all inputs there are


def make_vectors(
    tflite: bytes, graph: Graph, reference: Reference, seed: int, *, macs: int, samples: Sequence[bytes] = ()
) -> dict[str, Any]:
    """All 256 inputs in order where the input is one byte, otherwise chosen ones: such that as many outputs, channels
    and planted faults as can be show in the answers, and how many that are is measured. `samples`: a user's own.

    Of a model with state they are consecutive: the first comes right after a reset. Indices among the inputs name what
    is there. Raises InputFileError where the reference gives up on all inputs.
    """
    ends = device_ends(graph)
    size = reference.input_bytes
    runs = min(max(SEARCH_MACS // max(1, macs), RUNS.start), RUNS.stop)
    faults = max(round(FAULT_SHARE * runs), MANY_FAULTS)
    if reference.stateful:
        kind, faults = "sequence", FEW_FAULTS
        inputs = [reference.admit(x) for x in _frames(ends, size, seed, samples)]
        outputs = reference.run_batch(inputs)
    elif size == 1:
        kind, faults = "exhaustive", FEW_FAULTS
        inputs = [reference.admit(bytes([q & 0xFF])) for q in range(-128, 128)]
        outputs = reference.run_batch(inputs)
    else:
        kind = "chosen"
        count = VECTORS_LARGE if size > LARGE_INPUT_BYTES else VECTORS
        inputs, outputs = Search(tflite, graph, ends, reference, seed, max(runs, 2 * count)).choose(samples, count)
    coverage = measure(tflite, graph, ends, inputs, outputs, seed=seed, faults=faults)
    return {
        "kind": kind,
        "seed": seed,
        "coverage": coverage.as_dict(),
        "vectors": [{"in": x.hex(), "out": y.hex()} for x, y in zip(inputs, outputs, strict=True)],
    }


def _frames(ends: Ends, size: int, seed: int, samples: Sequence[bytes]) -> list[bytes]:
    """Frames of every kind in turns, among them loud, silent and repeated ones, which bring a state to its ends."""
    noise = random.Random(seed)
    count = VECTORS if size <= LARGE_STATEFUL_BYTES else VECTORS_LARGE
    patterns, quiet = (make(ends.inputs, count, seed) for make in (candidates.structured, candidates.low))
    frames: list[bytes] = []
    for number in range(count):
        match number % 16:
            case 13:
                frames.append(bytes([noise.choice((0x00, 0x7F, 0x80))]) * size)
            case 15:
                frames.append(frames[-1])
            case 2 | 7 | 12:
                frames.append(patterns[number])
            case 3 | 8 | 11:
                frames.append(quiet[number])
            case 4 | 5 | 6 if samples:
                frames.append(samples[number % len(samples)])
            case _:
                frames.append(noise.randbytes(size))
    return frames


def format_vectors(vectors: dict[str, Any]) -> str:
    """JSON with one vector a line."""
    head = json.dumps({key: value for key, value in vectors.items() if key != "vectors"})[:-1]
    rows = ",\n".join(f"  {json.dumps(vector)}" for vector in vectors["vectors"])
    return f'{head}, "vectors": [\n{rows}\n]}}\n'
