# SPDX-License-Identifier: Apache-2.0
"""The manifest: what a build consists of, and where each part comes from.

`train` starts it, `export` completes it, `firmware` and `host` read it. It holds no clock, host name or absolute
path, so the same input gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.errors import UsageError

FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Artefact:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Tensor:
    """An input or output of the model. Real value = scale * (q - zero_point)."""

    name: str
    shape: list[int]
    dtype: str
    scale: float
    zero_point: int
    bytes: int


@dataclass(frozen=True)
class Expected:
    """A question with a known answer, in real values; `source` says who knows it."""

    x: list[float]
    y: list[float]
    source: str


@dataclass(frozen=True)
class Tolerance:
    """Largest |y - expected| that still counts as right; `parts` add up to `value`, `why` puts them into words."""

    value: float
    parts: dict[str, float]
    why: str


@dataclass
class Manifest:
    model: str
    model_id: str = ""
    artefacts: dict[str, Artefact] = field(default_factory=dict)
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    seeds: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] | None = None
    source: dict[str, Any] | None = None  # of a model that was brought: file, kind, sha256, calibration, accuracy
    quantization: dict[str, Any] | None = None
    memory: dict[str, Any] | None = None
    expected: list[Expected] = field(default_factory=list)
    tolerance: Tolerance | None = None

    def add_artefact(self, path: Path) -> None:
        """Record the SHA-256 and size of a file of this build."""
        content = path.read_bytes()
        self.artefacts[path.name] = Artefact(hashlib.sha256(content).hexdigest(), len(content))

    def write(self, build_dir: Path) -> None:
        document = {"tinyproof": FORMAT, **dataclasses.asdict(self)}
        (build_dir / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def model_id(tflite: bytes) -> str:
    """First 16 hex digits of the SHA-256 of the .tflite: what firmware carries and the host compares."""
    return hashlib.sha256(tflite).hexdigest()[:16]


def read_manifest(build_dir: Path) -> Manifest:
    """Raises UsageError when the build does not exist yet, or is another version's."""
    path = build_dir / FILE
    name = f"build/{build_dir.name}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{name} has no manifest; run ./tinyproof train and ./tinyproof export first") from None
    except ValueError:
        raise UsageError(f"{name}/{FILE} is damaged; run ./tinyproof export again") from None
    if not isinstance(document, dict) or document.pop("tinyproof", None) != FORMAT:
        raise UsageError(f"{name}/{FILE} comes from another version; run ./tinyproof train and export again")
    tolerance = document.pop("tolerance")
    return Manifest(
        artefacts={name: Artefact(**entry) for name, entry in document.pop("artefacts").items()},
        inputs=[Tensor(**entry) for entry in document.pop("inputs")],
        outputs=[Tensor(**entry) for entry in document.pop("outputs")],
        expected=[Expected(**entry) for entry in document.pop("expected")],
        tolerance=Tolerance(**tolerance) if tolerance else None,
        **document,
    )


def stale_artefacts(manifest: Manifest, build_dir: Path) -> list[str]:
    """Names of artefacts that are missing or are not what the manifest recorded."""
    stale = []
    for name, entry in manifest.artefacts.items():
        path = build_dir / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
            stale.append(name)
    return stale
