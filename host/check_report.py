# SPDX-License-Identifier: Apache-2.0
"""What a check found, of vectors or of a data set: check.json and dataset.json, and --json."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tinyproof.core.board_spec import Board
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.host.bits import BitsResult, some

if TYPE_CHECKING:
    from tinyproof.host.many.asking import ManyResult

# Of a data set's samples: where so many saturate, what is computed of them is not what was meant.
DOUBTFUL_SHARE = 0.5


@dataclass(frozen=True)
class CheckedAnswer:
    """One expected answer in real values. `error` is the largest |y - expected| over the outputs.

    `identical`: the board quantizes, infers and dequantizes bit for bit as it must; `fault` says where it does not.
    `within` is None where the manifest has no tolerance. `saturated`: "", "input" or "output".
    """

    x: list[float]
    expected: list[float]
    y: list[float]
    error: float
    within: bool | None
    identical: bool
    fault: str
    saturated: str
    source: str


@dataclass(frozen=True)
class Digests:
    """What each layer wrote, by its CRC-32, in a firmware that traces the same kernels and tables. `outputs`: tensors
    that `layers` operators write; of `inputs` vectors, `different` have one that is not the reference's, and the first
    of them is vector `first_input`, from operator `first_layer` on. `flash_bytes`: what tracing costs beyond the
    firmware that is used. `constants`: tables and parameters that both images hold, and `constants_different` the names
    of those that differ: what the digests say of the one image holds for the other as far as these are the same.

    `probes`: contents of the board's own making on which operators were run alone, `probe_layer` the first operator
    that made something else of one than the reference; `unprobed`: operators that were not asked so, and why."""

    inputs: int
    layers: int
    outputs: int
    different: int
    first_input: int | None
    first_layer: str
    flash_bytes: int
    constants: int
    constants_different: list[str]
    seconds: float
    probes: int = 0
    probe_layer: str = ""
    unprobed: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether no layer and no constant differs."""
        return not self.different and not self.constants_different and not self.probe_layer

    def fault(self, board: str, reference: str) -> str:
        """What differs, in one line, where all answers are right; empty when nothing does."""
        if self.constants_different:
            names = self.constants_different
            return (
                f"{len(names)} of {self.constants} constants in the firmware on {board} are not those of "
                f"the firmware that traces it, the first is {names[0]}; run ./tinyproof build again"
            )
        if self.different:
            return (
                f"{self.different} of {self.inputs} inputs on {board}: all answers are right, but "
                f"from {self.first_layer} on what a layer writes for input {self.first_input} is not "
                f"{reference}'s; the next layers hide it"
            )
        if self.probe_layer:
            return (
                f"all answers on {board} are right, but {self.probe_layer}, run alone on contents that no input has "
                f"brought to it, does not write what {reference} does, or writes where it must not"
            )
        return ""


@dataclass
class CheckReport:
    """Two verdicts: bits (against the golden reference) and answers (against what is known to be right)."""

    FILE: ClassVar[str] = "check.json"

    model: str
    model_id: str
    board: str
    engine: str
    protocol: int
    vectors: str  # "exhaustive", "chosen" or "sequence"; "random" in a build of an earlier release
    reference: str  # who gave the golden answers
    bits: BitsResult
    answers: list[CheckedAnswer] = field(default_factory=list)
    tolerance: float | None = None
    tolerance_why: str = ""
    startup_ticks: int = 0  # from reset to ready, in the tick unit; 0 where the board does not count it
    arena_used_bytes: int = 0  # by Google's interpreter on this board; 0 for an engine without an arena of its own
    coverage: dict[str, Any] | None = None  # what the vectors excite, as the export measured it
    stack_used_bytes: int = 0  # the deepest that the board's stack went; 0 where it cannot say
    digests: Digests | None = None
    digests_note: str = ""  # why there are none
    plan_fault: str = ""  # which tensors overlap in the C of the firmware that must not
    many: ManyResult | None = None  # inputs that the board made itself, where they were asked for

    @property
    def sequence(self) -> bool:
        """Whether the inputs are consecutive frames of a model with state."""
        return self.vectors == "sequence"

    @property
    def bits_identical(self) -> bool:
        """Whether the board computes, quantizes and dequantizes bit for bit as it must."""
        many = self.many is None or self.many.identical
        return self.bits.identical and many and all(answer.identical for answer in self.answers)

    @property
    def answers_within_tolerance(self) -> bool | None:
        """Whether no answer is too far from what is right; None where none was asked, or none can be judged."""
        judged = [answer.within for answer in self.answers if answer.within is not None]
        return all(judged) if judged else None

    @property
    def proven(self) -> bool:
        """Both verdicts at once: what exit code 0 stands for."""
        layers = self.digests is None or self.digests.same
        sound = layers and not self.plan_fault
        return self.bits_identical and sound and self.answers_within_tolerance is not False

    def as_dict(self) -> dict[str, Any]:
        """The document of check.json and --json; NaN and infinity are null."""
        return {
            "model": self.model,
            "model_id": self.model_id,
            "board": self.board,
            "engine": self.engine,
            "protocol": self.protocol,
            "vectors": self.vectors,
            "reference": self.reference,
            "bits_checked": self.bits.checked,
            "bits_different": self.bits.different,
            **self.bits.as_dict(),
            "answers": [_finite(dataclasses.asdict(answer)) for answer in self.answers],
            "tolerance": self.tolerance,
            "tolerance_why": self.tolerance_why,
            "startup_ticks": self.startup_ticks,
            "arena_used_bytes": self.arena_used_bytes,
            "coverage": self.coverage,
            "stack_used_bytes": self.stack_used_bytes,
            "digests": None if self.digests is None else dataclasses.asdict(self.digests),
            "digests_note": self.digests_note,
            "plan_fault": self.plan_fault,
            "many": None if self.many is None else self.many.as_dict(),
            "bits_identical": self.bits_identical,
            "answers_within_tolerance": self.answers_within_tolerance,
            "proven": self.proven,
        }

    def mismatch(self) -> str:
        """What is wrong, in one line with both numbers; empty when all is proven."""
        if self.bits.different:
            return self.bits.mismatch("frames" if self.sequence else "inputs", self.board)
        if self.bits.checked == 0:
            return "no vectors were checked; run ./tinyproof export again"
        for answer in self.answers:
            if not answer.identical:
                return f"x = {some(answer.x)} on {self.board}: {answer.fault}"
        if self.many is not None and (fault := self.many.mismatch(self.board)):
            return fault
        for answer in self.answers:
            if answer.within is False:
                return (
                    f"x = {some(answer.x)}: expected {some(answer.expected)}, {self.board} answers {some(answer.y)}, "
                    f"off by {answer.error:.4g} with a tolerance of {self.tolerance:.4g}"
                )
        layers = "" if self.digests is None else self.digests.fault(self.board, self.reference)
        return self.plan_fault or layers


@dataclass
class DatasetReport:
    """Two verdicts again: bits, and whether the samples are such that bits say anything of the answers to them.

    `accuracy`: None without labels; {"kind": "class", "correct", "share", "confusion", "labels", "answered"} where
    labels are class numbers (confusion[label][answer] counts samples; the other two have the class of each sample),
    {"kind": "detection", "correct", "share", "missed", "false"} where they say whether a detector should answer, and
    {"kind": "real", "rmse", "worst"} where they are real answers. Saturation counts samples with a clamped value.

    `frames`: in each sample; `bits` counts every one of them.
    """

    FILE: ClassVar[str] = "dataset.json"

    model: str
    model_id: str
    board: str
    engine: str
    file: str
    sha256: str
    samples_in_file: int
    reference: str  # who gave the golden answers
    bits: BitsResult
    input_saturated: int = 0
    accuracy: dict[str, Any] | None = None
    float_accuracy: dict[str, Any] | None = None  # of the float model behind the build, where there is one
    frames: int = 1

    @property
    def sequence(self) -> bool:
        """Whether a sample is a sequence of frames, of which the first comes right after a reset."""
        return self.frames > 1

    @property
    def samples(self) -> int:
        """How many were asked."""
        return self.bits.checked // self.frames

    @property
    def bits_identical(self) -> bool:
        """Whether every sample came back bit for bit: what exit code 0 stands for."""
        return self.bits.identical

    @property
    def doubtful(self) -> bool:
        """Whether most samples hold values beyond the range that the model was quantized for."""
        return self.input_saturated > 0 and self.input_saturated >= DOUBTFUL_SHARE * self.samples

    @property
    def proven(self) -> bool:
        """Both verdicts at once."""
        return self.verdict == "proven"

    @property
    def verdict(self) -> str:
        """In one word: "proven", "doubtful" where the bits are right and the samples are not, or "mismatch"."""
        if not self.bits_identical:
            return "mismatch"
        return "doubtful" if self.doubtful else "proven"

    @property
    def saturation(self) -> str:
        """In words, how many samples say little; empty where none does."""
        if not self.input_saturated:
            return ""
        return (
            f"{self.input_saturated:,} of {self.samples:,} saturate: they hold values beyond the range that the "
            "model was quantized for"
        )

    def as_dict(self) -> dict[str, Any]:
        """The document of dataset.json and --json; NaN and infinity are null."""
        return {
            "model": self.model,
            "model_id": self.model_id,
            "board": self.board,
            "engine": self.engine,
            "file": self.file,
            "sha256": self.sha256,
            "samples_in_file": self.samples_in_file,
            "reference": self.reference,
            "samples": self.samples,
            "frames_per_sample": self.frames,
            "different": self.bits.different,
            **self.bits.as_dict(),
            "input_saturated": self.input_saturated,
            "accuracy": self.accuracy,
            "float_accuracy": self.float_accuracy,
            "bits_identical": self.bits_identical,
            "verdict": self.verdict,
            "proven": self.proven,
        }

    def mismatch(self) -> str:
        """What is wrong, in one line; empty when every bit is the reference's."""
        return self.bits.mismatch("frames" if self.sequence else "samples", self.board)


def write_report(report: CheckReport | DatasetReport, board: Board, build_dir: Path) -> None:
    """check.json or dataset.json in boards/<board>/."""
    folder = keep_inside(build_dir / "boards" / board.name, build_dir)
    write_at_once(folder / report.FILE, json.dumps(report.as_dict(), indent=1) + "\n")


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity, and a board may answer with either: null stands for them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
