# SPDX-License-Identifier: Apache-2.0
"""Which of a build's vectors a library keeps in flash for its self-test."""

from __future__ import annotations

import json
from pathlib import Path

from tinyproof.core.errors import UsageError

DEFAULT_BYTES = 4096  # of flash; one vector is always kept, however large, unless fewer bytes are asked for

Vector = tuple[bytes, bytes]  # all inputs, all outputs


def selftest_vectors(build_dir: Path, most_bytes: int | None) -> list[Vector]:
    """As many as fit into `most_bytes` of flash; DEFAULT_BYTES, but at least one, where it is None; none where it is 0.

    Of a model with state they are the first ones, which follow one another; of others, spread over all there are.
    Raises UsageError where not even one fits.
    """
    if most_bytes is not None and most_bytes < 0:
        raise UsageError(f"--selftest-bytes must not be negative, not {most_bytes:,}")
    document = json.loads((build_dir / "vectors.json").read_text(encoding="utf-8"))
    vectors = [(bytes.fromhex(vector["in"]), bytes.fromhex(vector["out"])) for vector in document["vectors"]]
    size = len(vectors[0][0]) + len(vectors[0][1])
    if most_bytes == 0:
        return []
    count = (DEFAULT_BYTES if most_bytes is None else most_bytes) // size
    if count == 0 and most_bytes is not None:
        raise UsageError(f"--selftest-bytes {most_bytes:,}: one vector of this model takes {size:,} B; 0 keeps none")
    count = min(max(count, 1), len(vectors))
    if document["kind"] == "sequence":
        return vectors[:count]
    return [vectors[number * len(vectors) // count] for number in range(count)]
