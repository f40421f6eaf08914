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
    each = f" of {report.frames} frames" if report.sequence else ""
    of = f"{report.samples:,} of {report.samples_in_file:,} samples{each} on {report.board}"
    click.echo(stage_line("check", file_name(report.file), of))
    say_differences("", bits)
    rate = bits.checked / bits.seconds if bits.seconds else 0.0
    what = "frames" if report.sequence else "samples"
    say("", f"{time_words(bits)}; {rate:,.1f} {what} per second over the line{line_words(bits)}")
    if accuracy and accuracy["kind"] == "real":
        click.echo(stage_line("accuracy", f"RMSE {accuracy['rmse']:.4g}", f"worst error {accuracy['worst']:.4g}"))
    elif accuracy:
        labels = f"{accuracy['correct']:,} of {report.samples:,} labels"
        if accuracy["kind"] == "detection":
            labels += f"; {accuracy['missed']:,} missed, {accuracy['false']:,} false"
        click.echo(stage_line("accuracy", f"{accuracy['share']:.1%}", labels))
    if before := report.float_accuracy:
        float_words = f"RMSE {before['rmse']:.4g}" if before["kind"] == "real" else f"{before['share']:.1%}"
        ours = "TFLite Micro answers as the board" if report.bits_identical else "before it was quantized"
        click.echo(stage_line("", float_words, f"float model; {ours}"))
    verdict = f"{bits.same:,} of {bits.checked:,} {what} bit-identical to {report.reference}"
    if report.saturation:
        verdict += f"; but {report.saturation}"
    if accuracy is None:
        verdict += "; the file has no labels"
    say_verdict(verdict, proven=report.bits_identical, doubtful=report.doubtful)
