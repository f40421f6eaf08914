# SPDX-License-Identifier: Apache-2.0
"""What `check --dataset` prints: how the samples of a file came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tinyproof.cli.console import say
from tinyproof.cli.show_bits import line_words, say_differences, say_verdict, time_words
from tinyproof.cli.tables import file_name, stage_line

if TYPE_CHECKING:
    from tinyproof.host.check_report import DatasetReport


def print_samples(report: DatasetReport) -> None:
    """The lines of a data set's check, at most 80 columns wide."""
    bits, accuracy = report.bits, report.accuracy
    of = f"{bits.checked:,} of {report.samples_in_file:,} samples on {report.board}"
    click.echo(stage_line("check", file_name(report.file), of))
    say_differences("", bits)
    rate = bits.checked / bits.seconds if bits.seconds else 0.0
    say("", f"{time_words(bits)}; {rate:,.1f} samples per second over the line{line_words(bits)}")
    if accuracy and accuracy["kind"] == "class":
        labels = f"{accuracy['correct']:,} of {bits.checked:,} labels"
        click.echo(stage_line("accuracy", f"{accuracy['share']:.1%}", labels))
    elif accuracy:
        click.echo(stage_line("accuracy", f"RMSE {accuracy['rmse']:.4g}", f"worst error {accuracy['worst']:.4g}"))
    verdict = f"{bits.same:,} of {bits.checked:,} samples bit-identical to {report.reference}"
    if report.saturation:
        verdict += f"; but {report.saturation}"
    if accuracy is None:
        verdict += "; the file has no labels"
    say_verdict(verdict, proven=report.bits_identical, doubtful=report.doubtful)
