# SPDX-License-Identifier: Apache-2.0
"""What a board must answer: the build's vectors, and the golden reference itself for any other input."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest, model_id
from tinyproof.core.paths import shown
from tinyproof.core.reference.golden import Reference


@dataclass(frozen=True)
class Vectors:
    """`pairs`: (input, golden output). `kind`: as in CheckReport. `coverage`: what the inputs excite, as the export
    measured it; None in a build of an earlier release."""

    pairs: list[tuple[bytes, bytes]]
    kind: str
    coverage: dict[str, Any] | None = None

    @property
    def inputs(self) -> list[bytes]:
        """Without their answers."""
        return [content for content, _ in self.pairs]

    @property
    def sequence(self) -> bool:
        """Whether they are consecutive frames of a model with state."""
        return self.kind == "sequence"


def read_vectors(build_dir: Path) -> Vectors:
    """Raises UsageError when the file is missing or damaged."""
    name = shown(build_dir / "vectors.json")
    try:
        document = json.loads((build_dir / "vectors.json").read_text(encoding="utf-8"))
        pairs = [(bytes.fromhex(entry["in"]), bytes.fromhex(entry["out"])) for entry in document["vectors"]]
        coverage = document.get("coverage")
        return Vectors(pairs, str(document["kind"]), coverage if isinstance(coverage, dict) else None)
    except FileNotFoundError:
        raise UsageError(f"{name} is missing; run ./tinyproof export first") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{name} is damaged; run ./tinyproof export again") from None


class Golden:
    """What the golden reference answers: from the vectors, and by asking it where an input is not among them.

    Where the vectors are consecutive frames of a model with state, whose answers depend on those before, `run` is the
    answer to an input that comes right after a reset, and `frame` that of a frame by its number.
    """

    def __init__(self, build_dir: Path, manifest: Manifest, vectors: Vectors) -> None:
        self._build_dir, self._manifest = build_dir, manifest
        self._frames = [output for _, output in vectors.pairs]
        self._known = {} if vectors.sequence else dict(vectors.pairs)
        self._reference: Reference | None = None

    def frame(self, number: int) -> bytes:
        """The answer to frame `number`, counted from the reset before frame 0."""
        return self._frames[number]

    def run(self, x_q: bytes) -> bytes:
        """Raises UsageError when model.tflite, which the reference needs, is not this build's."""
        if x_q in self._known:
            return self._known[x_q]
        if self._reference is None:
            self._reference = load_reference(self._build_dir, self._manifest)
        self._reference.reset()
        return self._reference.run(x_q)


def load_reference(build_dir: Path, manifest: Manifest) -> Reference:
    """The golden reference with the build's model. Raises UsageError when that is missing or not the exported one."""
    path = build_dir / "model.tflite"
    tflite = path.read_bytes() if path.is_file() else b""
    if model_id(tflite) != manifest.model_id:
        raise UsageError(f"{shown(build_dir / 'model.tflite')} is missing or changed; run ./tinyproof export again")
    return Reference(tflite)
