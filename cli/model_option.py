# SPDX-License-Identifier: Apache-2.0
"""The option --model of all verbs and those of an import: what stands behind them in builds.py, with its remarks."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click

from tinyproof import builds
from tinyproof.builds import Wanted
from tinyproof.cli.console import remark, say
from tinyproof.cli.tables import file_name, stage_line
from tinyproof.core.config import Config
from tinyproof.core.manifest import Manifest, RemovedChannels
from tinyproof.core.model_file import ModelFile

F = TypeVar("F", bound=Callable[..., Any])

MODEL_HELP = "A build's name, or a file: .tflite, .keras, .h5, a SavedModel folder. [default: neuron]"
CALIBRATION_HELP = "Samples to quantize a float model with: .npz, .npy or .csv, a folder of images or .wav files."
VALUES_HELP = "Real values of black and white, or of a sound's ends, in a folder: 0,1 or -1,1 or 0,255."
CLASSES_HELP = "Names of the model's outputs in their order, where samples are labelled by name."
NAME_HELP = "Name of the build that a file becomes, or of a library. [default: the file's or the build's]"
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


def values_option(function: F) -> F:
    """Decorates a verb with --values."""
    return click.option("--values", metavar="LOW,HIGH", callback=_two_numbers, help=VALUES_HELP)(function)


def classes_option(function: F) -> F:
    """Decorates a verb with --classes."""
    return click.option("--classes", metavar="A,B,...|FILE", help=CLASSES_HELP)(function)


def _two_numbers(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}: two numbers with a comma between them, such as 0,1") from None
    if not -math.inf < low < high < math.inf:
        raise click.BadParameter(f"{text!r}: the second must be the larger one")
    return low, high


def activations_option(function: F) -> F:
    """Decorates a verb with --activations."""
    return click.option("--activations", type=click.Choice(["int8", "int16"]), help=ACTIVATIONS_HELP)(function)


def name_option(function: F) -> F:
    """Decorates a verb with --name."""
    return click.option("--name", metavar="NAME", help=NAME_HELP)(function)


def hold(model: str, *, shared: bool = False, makes: bool = False) -> AbstractContextManager[None]:
    """`builds.hold`, which says to the terminal that it waits."""
    return builds.hold(model, shared=shared, makes=makes, remark=remark)


def select_model(config: Config, text: str | None) -> Config:
    """`builds.select_model`, likewise."""
    return builds.select_model(config, text, remark)


def import_file(
    config: Config, found: ModelFile, wanted: Wanted, *, again: bool = True, keep_dead: bool = False, ram: str = ""
) -> tuple[Config, Manifest]:
    """`builds.import_file`, likewise, and what it replaces."""
    return builds.import_file(config, found, wanted, again=again, keep_dead=keep_dead, ram=ram, remark=remark)


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
    say(
        "live",
        f"{macs:,} of {removed.macs_before:,} MACs, {removed.weights:,} of {removed.weights_before:,} weights: "
        f"{removed.why}",
    )
