# SPDX-License-Identifier: Apache-2.0
"""Questions with known bits: int8 inputs, and the outputs of the golden reference."""

from __future__ import annotations

import json
import random
from typing import Any

from tinyproof.core.reference.golden import Reference

RANDOM_VECTORS = 256
LARGE_INPUT_BYTES = 256  # beyond it a vector costs a noticeable time on a serial line
RANDOM_VECTORS_LARGE = 32


def make_vectors(reference: Reference, seed: int) -> dict[str, Any]:
    """All 256 inputs in order where the input is one byte, otherwise seeded random ones."""
    size = reference.input_bytes
    if size == 1:
        kind, inputs = "exhaustive", [bytes([q & 0xFF]) for q in range(-128, 128)]
    else:
        generator = random.Random(seed)
        count = RANDOM_VECTORS_LARGE if size > LARGE_INPUT_BYTES else RANDOM_VECTORS
        kind, inputs = "random", [generator.randbytes(size) for _ in range(count)]
    pairs = zip(inputs, reference.run_batch(inputs), strict=True)
    return {"kind": kind, "seed": seed, "vectors": [{"in": x.hex(), "out": y.hex()} for x, y in pairs]}


def format_vectors(vectors: dict[str, Any]) -> str:
    """JSON with one vector a line."""
    head = json.dumps({"kind": vectors["kind"], "seed": vectors["seed"]})[:-1]
    rows = ",\n".join(f"  {json.dumps(vector)}" for vector in vectors["vectors"])
    return f'{head}, "vectors": [\n{rows}\n]}}\n'
