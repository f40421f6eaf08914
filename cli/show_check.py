# SPDX-License-Identifier: Apache-2.0
"""What `check` and `run` print of a check: the table of answers, and the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tinyproof.cli.console import say
from tinyproof.cli.show_bits import (
    line_words,
    many_words,
    say_coverage,
    say_differences,
    say_many,
    say_verdict,
    time_words,
)
from tinyproof.cli.tables import LABEL, WIDTH, aligned

if TYPE_CHECKING:
    from tinyproof.host.check_report import CheckedAnswer, CheckReport

# What the vectors of each kind are called.
INPUT_WORDS = {
    "exhaustive": "int8 inputs",
    "chosen": "chosen inputs",
    "random": "random inputs",
    "sequence": "consecutive frames",
}


def print_check(report: CheckReport) -> None:
    """The table of answers and the proof, at most 80 columns wide."""
    print_answers(report)
    print_verdict(report)


def print_answers(report: CheckReport) -> None:
    """The table, what differs, and the times."""
    label = "check"
    if report.answers:
        for line in _table(report):
            click.echo(f"{label:<{LABEL}}{line}")
            label = ""
    label = say_differences(label, report.bits)
    stack = f"; {report.stack_used_bytes:,} B of stack" if report.stack_used_bytes else ""
    rate = f"{report.bits.round_trips_per_second:,.0f} round trips per second"
    say(label, f"{time_words(report.bits)}; {rate}{line_words(report.bits)}{stack}")
    say_coverage(report.vectors, report.coverage)
    if report.many is not None:
        say_many(report.many)
    _say_digests(report)


def print_verdict(report: CheckReport) -> None:
    """The last line: proven, or not."""
    say_verdict(_verdict(report), proven=report.proven)


def _say_digests(report: CheckReport) -> None:
    digests = report.digests
    if digests is None:
        if report.digests_note:
            say("layers", f"not compared one by one: {report.digests_note}")
        return
    same = "bit-identical" if not digests.different else f"DIFFERENT from {digests.first_layer} on"
    say(
        "layers",
        f"{digests.outputs} outputs of {digests.layers} operators {same} for {digests.inputs} inputs, by digests of a "
        f"firmware that traces them ({digests.flash_bytes:+,} B of flash)",
    )
    if digests.probes or digests.unprobed:
        alone = f"each alone bit-identical on {digests.probes:,} made contents"
        if digests.probe_layer:
            alone = f"{digests.probe_layer} DIFFERENT when run alone on made contents"
        say("", alone + "".join(f"; not alone: {one}" for one in digests.unprobed))
    count = len(digests.constants_different)
    if digests.constants:
        same = "the same" if not count else f"{count} DIFFERENT, from {digests.constants_different[0]} on"
        say("", f"{digests.constants} tables and parameters in both firmwares {same}")


def _table(report: CheckReport) -> list[str]:
    """With as many values of each tensor as there is room for."""
    for shown in (2, 1):
        rows = [(*_row(answer, shown),) for answer in report.answers]
        lines = aligned([("x", "expected", report.board, "error", "bits"), *rows])
        if max(map(len, lines)) <= WIDTH - LABEL:
            break
    return lines


def _row(answer: CheckedAnswer, shown: int) -> tuple[str, str, str, str, str]:
    bits = "identical" if answer.identical else "DIFFERENT"
    if answer.within is False:
        bits += ", out of tolerance"
    if answer.saturated:
        bits += f", {answer.saturated} saturated"
    reals = (_reals(answer.x, 1, shown), _reals(answer.expected, 2, shown), _reals(answer.y, 2, shown))
    return (*reals, f"{answer.error:.2f}", bits)


def _reals(values: list[float], digits: int, shown: int) -> str:
    """All of them where there is one more than `shown` at most."""
    whole = len(values) <= shown + 1
    words = " ".join(f"{value:z.{digits}f}" for value in (values if whole else values[:shown]))
    return words if whole else f"{words} ..."


def _verdict(report: CheckReport) -> str:
    words = f"{report.bits.same} of {report.bits.checked} {INPUT_WORDS[report.vectors]}"
    if report.many is not None:
        words += f" and {many_words(report.many)}"
    words += f" bit-identical to {report.reference}"
    if not report.answers:
        return f"{words}; no answers are known for this model"
    if report.tolerance is None:
        return f"{words}; answers shown, with no tolerance to judge them by"
    verdict = "within" if report.answers_within_tolerance else "NOT within"
    words = f"{words}; answers {verdict} tolerance {report.tolerance:.2g} (why: {report.tolerance_why})"
    if not all(answer.identical for answer in report.answers):
        words += "; " + next(answer.fault for answer in report.answers if not answer.identical)
    return words
