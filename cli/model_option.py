# SPDX-License-Identifier: Apache-2.0
"""The option --model of all verbs and those of an import, and the lines that an import prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tinyproof.cli.console import say
from tinyproof.cli.tables import file_name, stage_line
from tinyproof.core.manifest import Manifest, RemovedChannels

F = TypeVar("F", bound=Callable[..., Any])

MODEL_HELP = "A build's name, or a file: .tflite, .keras, .h5, a SavedModel folder. [default: neuron]"
CALIBRATION_HELP = "Samples to quantize a float model with: .npz (array x, or one of each input's name) or .csv."
ACTIVATIONS_HELP = "Integers between the layers of a float model: int8, or int16 with int8 weights. [default: int8]"


def model_option(function: F) -> F:
    """Decorates a verb with --model."""
    return click.option("--model", metavar="NAME|FILE", help=MODEL_HELP)(function)


def dialect_option(function: F) -> F:
    """Decorates a verb with --dialect; tinyproof's own comes as ""."""
    return click.option(
        "--dialect",
        type=click.Choice(["tinyproof", "mlperf"]),
        default="tinyproof",
        callback=lambda context, option, value: "" if value == "tinyproof" else value,
        help="What the firmware speaks: our protocol, or that of MLPerf Tiny's runner. [default: tinyproof]",
    )(function)


def calibration_option(function: F) -> F:
    """Decorates a verb with --calibration."""
    return click.option("--calibration", type=click.Path(path_type=Path), metavar="FILE", help=CALIBRATION_HELP)(
        function
    )


def activations_option(function: F) -> F:
    """Decorates a verb with --activations."""
    return click.option("--activations", type=click.Choice(["int8", "int16"]), help=ACTIVATIONS_HELP)(function)


def print_import(manifest: Manifest) -> None:
    """The lines that `export` and `run` show for a model that was brought."""
    source, memory = manifest.source, manifest.memory
    assert source is not None  # an import has both
    assert memory is not None
    shapes = " -> ".join(
        " + ".join("x".join(map(str, tensor.shape)) for tensor in tensors)
        for tensors in (manifest.inputs, manifest.outputs)
    )
    click.echo(stage_line("model", file_name(source.file), f"{shapes}, {memory.macs:,} MACs"))
    size = f"model.tflite {manifest.artefacts['model.tflite'].bytes:,} B"
    kind = source.activations or "int8"
    how = f"{kind}, {source.calibration.samples} samples" if source.calibration else "integers, as it came"
    click.echo(stage_line("export", size, f"{how}    id {manifest.model_id}"))
    print_removed(memory.removed, memory.macs)
    accuracy = source.accuracy
    if accuracy is not None:
        words = f"worst error {accuracy.worst_error:.4g} against the float model"
        if accuracy.sqnr_db is not None:
            words += f", SQNR {accuracy.sqnr_db:.1f} dB"
        if accuracy.same_class_share is not None:
            words += f", same class {accuracy.same_class_share:.1%}"
        say("", words)
        for warning in accuracy.warnings or []:
            say("", f"WARNING: {warning}")


def print_removed(removed: RemovedChannels | None, macs: int) -> None:
    """What the compiled engine leaves out, and why it may; nothing where it computes all. `macs`: what is left."""
    if removed is None:
        return
    gone = removed.constant + removed.unread
    say(
        "live",
        f"{macs:,} of {removed.macs_before:,} MACs, {removed.weights:,} of {removed.weights_before:,} weights: "
        f"{gone:,} of {removed.channels:,} channels left out, {removed.constant:,} constant for every input and "
        f"{removed.unread:,} that nothing live reads",
    )
