# SPDX-License-Identifier: Apache-2.0
"""What is found of an operator."""

from __future__ import annotations

from dataclasses import dataclass, field

PROVEN, REFUTED, UNPROVEN, NONE = "proven", "refuted", "not proven", "-"


@dataclass(frozen=True)
class Verdict:
    """`status`: PROVEN, REFUTED, UNPROVEN, or NONE where the statement does not concern the operator. `why`: what
    refutes it, or what is missing; for PROVEN how much was tried."""

    status: str = NONE
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is open."""
        return self.status in (PROVEN, NONE)


@dataclass(frozen=True)
class Rescaling:
    """Sums that go through one rescaling: the kernel's tail with its parameters and clamp, and the .tflite's."""

    tail: int
    parameters: tuple[int, ...]
    clamp: tuple[int, int]
    wanted: tuple[int, int, int, int, int]


@dataclass
class OperatorProof:
    """`index` and `name`: in the .tflite; `number`: in the C. `affine`: whether one path computes it for all inputs.
    `alarms`: of Eva, None where it was not asked, or took too long. `rescalings`: of the operator's channels, with the
    lowest and the highest sum. `trusted`: what is taken for granted of it."""

    number: int
    index: int
    name: str
    affine: Verdict = field(default_factory=Verdict)
    linear: Verdict = field(default_factory=Verdict)
    requantization: Verdict = field(default_factory=Verdict)
    rest: Verdict = field(default_factory=Verdict)
    memory: Verdict = field(default_factory=Verdict)
    alarms: int | None = None
    rescalings: dict[Rescaling, tuple[int, int]] = field(default_factory=dict)
    trusted: list[str] = field(default_factory=list)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All that have to hold."""
        return self.linear, self.requantization, self.rest, self.memory

    @property
    def holds(self) -> bool:
        """Whether the operator answers as TFLite Micro for every input."""
        return all(verdict.holds for verdict in self.verdicts)
