# SPDX-License-Identifier: Apache-2.0
"""What a check found as JUnit XML, the form in which CI systems read test results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Error, Failure, Skipped, TestCase, TestSuite

from tinyproof.host.bits import some
from tinyproof.host.check_report import CheckReport, DatasetReport

Case = tuple[str, Error | Failure | Skipped | None]  # its name, and what is to be said of it


def write_junit(report: CheckReport | DatasetReport, path: Path) -> None:
    """Of the build's vectors one test case each, two per expected answer, and one of all inputs that the board made;
    each that fails carries what `check` says about it. Of a data set one for its bits and one for its range, which
    counts as skipped where the samples are such that the bits say little."""
    cases = _samples(report) if isinstance(report, DatasetReport) else _vectors(report)
    _write(report.model, report.board, cases, path)


def _vectors(report: CheckReport) -> list[Case]:
    different = {divergence.index: str(divergence) for divergence in report.bits.divergences}
    faults = [(f"bits of input {index}", different.get(index, "")) for index in range(report.bits.checked)]
    for answer in report.answers:
        faults.append((f"bits of x = {some(answer.x)}", answer.fault))
        fault = ""
        if answer.within is False:
            fault = f"expected {some(answer.expected)}, board {some(answer.y)}, tolerance {report.tolerance}"
        faults.append((f"answer to x = {some(answer.x)}", fault))
    if report.digests is not None:
        fault = report.mismatch() if report.digests.different else ""
        faults.append((f"digests of {report.digests.layers} layers", fault))
    if (many := report.many) is not None:
        faults.append((f"bits of {many.count:,} inputs made of seed {many.seed}", many.mismatch(report.board)))
    return [(name, Failure(fault, "mismatch") if fault else None) for name, fault in faults]


def _samples(report: DatasetReport) -> list[Case]:
    fault = report.mismatch()
    return [
        (f"bits of {report.bits.checked:,} samples", Failure(fault, "mismatch") if fault else None),
        ("range of the samples", Skipped(report.saturation, "doubtful") if report.doubtful else None),
    ]


def write_junit_error(model: str, board: str, message: str, path: Path) -> None:
    """The same file for a check that could not be made: one test case, in error."""
    _write(model, board, [("check", Error(message, "board"))], path)


def write_junit_of_boards(
    model: str, boards: Sequence[str], failed: Mapping[str, tuple[str, bool]], path: Path
) -> None:
    """One test case for each board. `failed`: why one is not proven, and whether it has answered wrongly."""
    cases: list[Case] = []
    for board in boards:
        words, answered = failed.get(board, ("", False))
        fault = Failure(words, "mismatch") if answered else Error(words, "board") if words else None
        cases.append((board, fault))
    _write(model, "all", cases, path)


def _write(model: str, board: str, results: Sequence[Case], path: Path) -> None:
    suite = TestSuite(f"tinyproof.{model}.{board}")
    cases = []
    for name, result in results:
        case = TestCase(name, suite.name)
        if result is not None:
            case.result = [result]
        cases.append(case)
    suite.add_testcases(cases)
    suite.write(str(path), pretty=True)
