# SPDX-License-Identifier: Apache-2.0
"""The lines that a check of vectors and one of a data set have in common, at most 80 columns wide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyproof.cli.console import say

if TYPE_CHECKING:
    from tinyproof.host.bits import BitsResult
    from tinyproof.host.many.asking import ManyResult

SHOWN_DIVERGENCES = 5


def say_differences(label: str, bits: BitsResult) -> str:
    """The first divergences, where they begin, and how many more there are. Returns the label that is still owed."""
    for divergence in bits.divergences[:SHOWN_DIVERGENCES]:
        say(label, f"bits differ at {divergence}")
        label = ""
    if bits.layer_note:
        say(label, bits.layer_note)
    if bits.different > SHOWN_DIVERGENCES:
        say(label, f"... and {bits.different - SHOWN_DIVERGENCES} more")
    return label


def say_coverage(kind: str, coverage: dict[str, Any] | None) -> None:
    """What the vectors excite, so that a count of equal answers reads as no more than it is. All inputs there are need
    no such word, and earlier releases have measured nothing."""
    if kind == "exhaustive" or not coverage or not coverage["layers"]:
        return
    layers = coverage["layers"]
    channels = sum(layer["channels"] for layer in layers)
    moving = sum(layer["channels_moving"] for layer in layers)
    weakest = min(layers, key=lambda layer: layer["faults_seen"] / max(1, layer["faults"]))
    words = (
        f"{coverage['outputs_moving']:,} of {coverage['outputs']:,} output bytes move, {moving:,} of {channels:,} "
        f"channels leave their ends, {coverage['faults_seen']:,} of {coverage['faults']:,} faults planted in the "
        "weights show in an answer"
    )
    if weakest["faults_seen"] < weakest["faults"]:
        words += (
            f"; least in operator {weakest['operator']} ({weakest['name']}), {weakest['faults_seen']} of "
            f"{weakest['faults']}"
        )
    say("vectors", words)


def say_many(many: ManyResult) -> None:
    """How the inputs of a seed were asked, and the first answer that differs."""
    label = "many"
    for divergence in many.divergences[:SHOWN_DIVERGENCES]:
        say(label, f"bits differ at {divergence}")
        label = ""
    for words in (many.fault, many.layer_note, many.note and f"made on this machine: {many.note}"):
        if words:
            say(label, words)
            label = ""
    say(
        label,
        f"{many.per_second:,.0f} inputs per second, {many.board_share:.0%} of the time the board's; the same again: "
        f"--vectors {many.count} --seed {many.seed}",
    )


def many_words(many: ManyResult) -> str:
    """What was compared, for the last line."""
    count = f"{many.checked - many.different:,} of {many.checked:,}"
    if many.checked < many.count:
        count += f" (of {many.count:,} wanted)"
    frames = f", a reset before every {many.frames}," if many.frames > 1 else ""
    maker = "the board" if many.on_board else "this machine"
    return f"{count} that {maker} made of seed {many.seed}{frames}"


def say_verdict(words: str, *, proven: bool, doubtful: bool = False) -> None:
    """The last line: a proof, or none. `doubtful`: the bits are right, and say little of the answers."""
    label, style = ("proof", "bold green") if proven else ("MISMATCH", "bold red")
    if proven and doubtful:
        label, style = "DOUBTFUL", "bold yellow"
    say(label, words, style)


def time_words(bits: BitsResult) -> str:
    """How long an inference takes, in the board's own unit."""
    ticks = f"{bits.ticks_min:,}"
    if bits.ticks_max != bits.ticks_min:
        ticks += f" to {bits.ticks_max:,}"
    return f"{ticks} {bits.tick_unit} per inference"


def line_words(bits: BitsResult) -> str:
    """What the line and the board went through; empty where nothing was lost, at the speed that it always has."""
    words = f" at {bits.baud:,} baud" if bits.baud else ""
    words += f"; {bits.repeats} requests repeated" if bits.repeats else ""
    words += f"; the board restarted {bits.resets} times" if bits.resets else ""
    return words + (f"; {bits.line_note}" if bits.line_note else "")
