# SPDX-License-Identifier: Apache-2.0
"""What a check found: the document of check.json and --json, and the same as JUnit XML."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

SHOWN_VALUES = 4  # of a long tensor, in a message


@dataclass(frozen=True)
class Divergence:
    """A vector that the board answers otherwise than the golden reference; `element` is the first that differs.

    `layer` is the first operator that leaves the reference, known for the first divergence of a report.
    """

    index: int
    x_q: list[int]
    element: int
    expected_q: int
    board_q: int
    layer: str = ""

    def __str__(self) -> str:
        where = f"[{self.element}]" if self.element else ""
        return (
            f"input {self.index}, x_q = {some(self.x_q)}: expected q{where} = {self.expected_q},"
            f" board q{where} = {self.board_q}{f'; it begins in {self.layer}' if self.layer else ''}"
        )


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


@dataclass
class CheckReport:
    """Two verdicts: bits (against the golden reference) and answers (against what is known to be right)."""

    model: str
    model_id: str
    board: str
    engine: str
    protocol: int
    vectors: str  # "exhaustive" or "random"
    reference: str  # who gave the golden answers
    bits_checked: int = 0
    bits_different: int = 0
    divergences: list[Divergence] = field(default_factory=list)
    layer_note: str = ""  # why the layer of the first divergence is not known, where it is not
    answers: list[CheckedAnswer] = field(default_factory=list)
    tolerance: float | None = None
    tolerance_why: str = ""
    ticks_min: int = 0  # of one inference, in tick_unit
    ticks_max: int = 0
    tick_unit: str = ""
    startup_ticks: int = 0  # from reset to ready, in tick_unit; 0 where the board does not count it
    round_trips: int = 0
    round_trips_per_second: float = 0.0
    repeats: int = 0  # requests sent again
    resets: int = 0  # restarts of the board during the check

    @property
    def bits_identical(self) -> bool:
        return self.bits_checked > 0 and self.bits_different == 0 and all(answer.identical for answer in self.answers)

    @property
    def answers_within_tolerance(self) -> bool:
        return all(answer.within is not False for answer in self.answers)

    @property
    def proven(self) -> bool:
        return self.bits_identical and self.answers_within_tolerance

    def as_dict(self) -> dict[str, Any]:
        return {
            **_finite(dataclasses.asdict(self)),
            "bits_identical": self.bits_identical,
            "answers_within_tolerance": self.answers_within_tolerance,
            "proven": self.proven,
        }

    def mismatch(self) -> str:
        """What is wrong, in one line with both numbers; empty when all is proven."""
        if self.divergences:
            return (
                f"{self.bits_different} of {self.bits_checked} int8 inputs differ on {self.board}; "
                f"first: {self.divergences[0]}"
            )
        if self.bits_checked == 0:
            return "no vectors were checked; run ./tinyproof export again"
        for answer in self.answers:
            if not answer.identical:
                return f"x = {some(answer.x)} on {self.board}: {answer.fault}"
        for answer in self.answers:
            if answer.within is False:
                return (
                    f"x = {some(answer.x)}: expected {some(answer.expected)}, {self.board} answers {some(answer.y)}, "
                    f"off by {answer.error:.4g} with a tolerance of {self.tolerance:.4g}"
                )
        return ""


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity, and a board may answer with either: null stands for them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def some(values: list[int] | list[float]) -> str:
    """A tensor in a message: the number itself, or its first few in brackets."""
    shown = [f"{value:.6g}" for value in values[:SHOWN_VALUES]]
    if len(values) == 1:
        return shown[0]
    return f"[{', '.join(shown)}{', ...' if len(values) > SHOWN_VALUES else ''}]"


def write_junit(report: CheckReport, path: Path) -> None:
    """One test case per vector and per expected answer, as JUnit XML."""
    different = {divergence.index: str(divergence) for divergence in report.divergences}
    cases = [(f"bits of input {index}", different.get(index, "")) for index in range(report.bits_checked)]
    for answer in report.answers:
        cases.append((f"bits of x = {some(answer.x)}", answer.fault))
        fault = ""
        if answer.within is False:
            fault = f"expected {some(answer.expected)}, board {some(answer.y)}, tolerance {report.tolerance}"
        cases.append((f"answer to x = {some(answer.x)}", fault))
    suite = _suite(report.model, report.board, len(cases))
    for name, fault in cases:
        case = _case(suite, report.model, report.board, name)
        if fault:
            ElementTree.SubElement(case, "failure", message=fault, type="mismatch")
    suite.set("failures", str(sum(bool(fault) for _, fault in cases)))
    _write(suite, path)


def write_junit_error(model: str, board: str, message: str, path: Path) -> None:
    """The same file for a check that could not be made."""
    suite = _suite(model, board, 1)
    suite.set("errors", "1")
    ElementTree.SubElement(_case(suite, model, board, "check"), "error", message=message, type="board")
    _write(suite, path)


def _suite(model: str, board: str, tests: int) -> ElementTree.Element:
    name = f"tinyproof.{model}.{board}"
    return ElementTree.Element("testsuite", name=name, tests=str(tests), failures="0", errors="0")


def _case(suite: ElementTree.Element, model: str, board: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=f"tinyproof.{model}.{board}", name=name)


def _write(suite: ElementTree.Element, path: Path) -> None:
    ElementTree.indent(suite)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
