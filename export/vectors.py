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
LARGE_STATEFUL_BYTES = 4096  # a frame of a streaming model is small, and only many of them say anything


def make_vectors(reference: Reference, seed: int) -> dict[str, Any]:
    """All 256 inputs in order where the input is one byte, otherwise seeded random ones. Of a model with state they are
    consecutive: the first comes right after a reset. Indices among the inputs name what is there."""
    size = reference.input_bytes
    if reference.stateful:
        kind, inputs = "sequence", _frames(size, seed)
    elif size == 1:
        kind, inputs = "exhaustive", [bytes([q & 0xFF]) for q in range(-128, 128)]
    else:
        generator = random.Random(seed)
        count = RANDOM_VECTORS_LARGE if size > LARGE_INPUT_BYTES else RANDOM_VECTORS
        kind, inputs = "random", [generator.randbytes(size) for _ in range(count)]
    inputs = [reference.admit(x) for x in inputs]
    pairs = zip(inputs, reference.run_batch(inputs), strict=True)
    return {"kind": kind, "seed": seed, "vectors": [{"in": x.hex(), "out": y.hex()} for x, y in pairs]}


def _frames(size: int, seed: int) -> list[bytes]:
    """Random frames, and among them loud, silent and repeated ones, which bring a state to its ends."""
    generator = random.Random(seed)
    count = RANDOM_VECTORS if size <= LARGE_STATEFUL_BYTES else RANDOM_VECTORS_LARGE
    frames: list[bytes] = []
    for number in range(count):
        if number % 16 == 13:
            frames.append(bytes([generator.choice((0x00, 0x7F, 0x80))]) * size)
        else:
            frames.append(frames[-1] if number % 16 == 15 else generator.randbytes(size))
    return frames


def format_vectors(vectors: dict[str, Any]) -> str:
    """JSON with one vector a line."""
    head = json.dumps({"kind": vectors["kind"], "seed": vectors["seed"]})[:-1]
    rows = ",\n".join(f"  {json.dumps(vector)}" for vector in vectors["vectors"])
    return f'{head}, "vectors": [\n{rows}\n]}}\n'
