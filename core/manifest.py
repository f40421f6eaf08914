# SPDX-License-Identifier: Apache-2.0
"""The manifest: what a build consists of, and where each part comes from.

`train` starts it, `export` completes it, `firmware` and `host` read it. It holds no clock, host name or absolute
path, so the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tinyproof.core.converter import ABSENT_IF_NONE, MistypedError, read_json, structure, unstructure
from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.origin import ModelSource, Training
from tinyproof.core.paths import shown

FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Artefact:
    """A file of the build as it was written."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of the model. Real value = scale * (q - zero_point)."""

    name: str
    shape: list[int]
    dtype: str
    scale: float
    zero_point: int
    bytes: int

    @property
    def elements(self) -> int:
        """Values that it holds."""
        return math.prod(self.shape)


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


@dataclass(frozen=True)
class AskedRange:
    """The range of x over which a model was quantized, where no more can be said of it in a few numbers."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class QuantizationReport:
    """What int8 does to a model of one number in, one out, over the asked range of x from `low` to `high`.

    `input_low`, `input_high`: what int8 can hold of x. Shares are of the asked range, steps and errors in units of x
    and y. `questions_beyond`: questions with known answers that saturate at the input; None where there are none known.
    """

    low: float
    high: float
    input_low: float
    input_high: float
    input_clip_share: float
    output_clip_share: float
    step_x: float
    step_y: float
    worst_error: float
    worst_error_x: float
    why: str
    questions_beyond: list[float] | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass(frozen=True, kw_only=True)
class PlannedBytes:
    """`bytes` of the arena from `offset` on, in use from step `first` to step `last`: step 0 is the arrival of the
    input, operator k of the compiled program runs at step k + 1. `use`: "input", "tensor", "state" or "scratch"."""

    use: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class RemovedChannels:
    """What the compiled engine leaves out, since no answer depends on it: of `channels` of all layers with weights,
    `constant` ones that have one value for every input, as interval analysis proves, `unread` ones that nothing that
    lives reads, and `twins`, which have the same values as another one for every input. `constant_operators` are not
    computed, since no input changes what they answer. `weights` are left of `weights_before`, and MemoryUse.macs of
    `macs_before`."""

    channels: int
    constant: int
    unread: int
    macs_before: int
    weights_before: int
    weights: int
    twins: int = 0
    constant_operators: int = 0

    @property
    def left_out(self) -> int:
        """Of `channels`."""
        return self.constant + self.unread + self.twins

    @property
    def why(self) -> str:
        """How many were left out of how many, and what allows it."""
        parts = [f"{self.constant:,} constant for every input", f"{self.unread:,} that nothing live reads"]
        if self.twins:
            parts.insert(1, f"{self.twins:,} the same as another one")
        words = f"{', '.join(parts[:-1])} and {parts[-1]}"
        return f"{self.left_out:,} of {self.channels:,} channels left out, {words}" + (
            f"; {self.constant_operators:,} operators are constants" if self.constant_operators else ""
        )


@dataclass(frozen=True, kw_only=True)
class MemoryUse:
    """`arena_bytes` of the compiled engine, beside the interpreter's; `tensor_bytes`: of all tensors together.
    `macs`: multiply-accumulates of one inference. `state_bytes`: what of the arena lives on between inferences.
    `removed`: None where every channel is computed; `keep_dead`: because that was asked for. `ram`: the budget that was
    asked for, bytes in digits or a word (export/schedules.py); empty for the fastest program. `plan`: who has which
    bytes of the arena when."""

    arena_bytes: int
    tflm_arena_bytes: int
    tensor_bytes: int
    macs: int
    operators: list[str]
    state_bytes: int = 0
    keep_dead: bool = False
    removed: RemovedChannels | None = None
    ram: str = ""
    plan: list[PlannedBytes] = field(default_factory=list)


@dataclass
class Manifest:
    """What a build folder holds, and what is known of it; each stage adds its part.

    `source`: of a model that was brought instead of trained here.
    """

    model: str
    model_id: str = ""
    artefacts: dict[str, Artefact] = field(default_factory=dict)
    inputs: list[TensorSpec] = field(default_factory=list)
    outputs: list[TensorSpec] = field(default_factory=list)
    seeds: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    training: Training | None = None
    source: ModelSource | None = None
    quantization: AskedRange | QuantizationReport | None = None
    memory: MemoryUse | None = None
    expected: list[Expected] = field(default_factory=list)
    tolerance: Tolerance | None = None

    @property
    def stateful(self) -> bool:
        """Whether an answer depends on the inputs before it, so that samples are sequences of frames."""
        return self.memory is not None and self.memory.state_bytes > 0

    def add_artefact(self, path: Path) -> None:
        """Record the SHA-256 and size of a file of this build."""
        content = path.read_bytes()
        self.artefacts[path.name] = Artefact(hashlib.sha256(content).hexdigest(), len(content))

    def as_dict(self) -> dict[str, Any]:
        """What --json prints."""
        return unstructure(self)

    def write(self, build_dir: Path) -> None:
        """To manifest.json in `build_dir`, the same bytes for the same content."""
        document = {"tinyproof": FORMAT, **self.as_dict()}
        write_at_once(build_dir / FILE, json.dumps(document, indent=1) + "\n")


def model_id(tflite: bytes) -> str:
    """First 16 hex digits of the SHA-256 of the .tflite: what firmware carries and the host compares."""
    return hashlib.sha256(tflite).hexdigest()[:16]


def read_manifest(build_dir: Path) -> Manifest:
    """Raises UsageError when the build does not exist yet, is another version's, or its manifest is damaged."""
    name = shown(build_dir)
    try:
        document = read_json(build_dir / FILE)
        if not isinstance(document, dict) or document.pop("tinyproof", None) != FORMAT:
            raise UsageError(f"{name}/{FILE} comes from another version; run ./tinyproof train and export again")
        manifest = structure(document, Manifest)
        _check(manifest, document)
    except FileNotFoundError:
        raise UsageError(f"{name} has no manifest; run ./tinyproof train and ./tinyproof export first") from None
    except (OSError, MistypedError) as fault:
        raise UsageError(
            f"{name}/{FILE} is damaged ({fault}); run ./tinyproof train and ./tinyproof export again, or delete {name} "
            "and bring its model again"
        ) from None
    return manifest


def _check(manifest: Manifest, document: dict[str, Any]) -> None:
    """What types do not say. Raises MistypedError."""
    for part in fields(Manifest):  # each is always written, if only as an empty one
        if part.name not in document:
            raise MistypedError(f"missing key {part.name}")
    for role, tensors in (("inputs", manifest.inputs), ("outputs", manifest.outputs)):
        for index, tensor in enumerate(tensors):
            if not 0 < tensor.scale < math.inf:
                raise MistypedError(f"{role}[{index}].scale must be positive and finite, not {tensor.scale!r}")
            if not -(2**31) <= tensor.zero_point < 2**31:
                raise MistypedError(f"{role}[{index}].zero_point must be int of 32 bits, not {tensor.zero_point}")
            if tensor.bytes < 1:
                raise MistypedError(f"{role}[{index}].bytes must be at least 1, not {tensor.bytes}")


def stale_artefacts(manifest: Manifest, build_dir: Path) -> list[str]:
    """Names of artefacts that are missing or are not what the manifest recorded."""
    stale = []
    for name, entry in manifest.artefacts.items():
        path = build_dir / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
            stale.append(name)
    return stale
