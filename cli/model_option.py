# SPDX-License-Identifier: Apache-2.0
"""The option --model of all verbs: a build by its name, or a file, which becomes a build of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from tinyproof.cli.console import say
from tinyproof.cli.tables import file_name, stage_line
from tinyproof.core import paths
from tinyproof.core.build_lock import locked
from tinyproof.core.config import Config
from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.manifest import Manifest, RemovedChannels
from tinyproof.core.model_file import ModelFile, find_model_file

F = TypeVar("F", bound=Callable[..., Any])

MODEL_HELP = "A build's name, or a file: .tflite, .keras, .h5, a SavedModel folder. [default: neuron]"
CALIBRATION_HELP = "Samples to quantize a float model with: .npz, .npy or .csv, a folder of images or .wav files."
VALUES_HELP = "Real values of black and white, or of a sound's ends, in a folder: 0,1 or -1,1 or 0,255."
CLASSES_HELP = "Names of the model's outputs in their order, where samples are labelled by name."
NAME_HELP = "Name of the build that a file becomes. [default: the file's own]"
ACTIVATIONS_HELP = "Integers between the layers of a float model: int8, or int16 with int8 weights. [default: int8]"


def model_option(function: F) -> F:
    """Decorates a verb with --model."""
    return click.option("--model", metavar="NAME|FILE", help=MODEL_HELP)(function)


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


@contextlib.contextmanager
def hold(model: str, *, shared: bool = False, makes: bool = False) -> Iterator[None]:
    """Keeps other runs from build/<model>, or waits for one that has it. `shared`: beside others that only read it.
    `makes`: the build may be new; otherwise nothing is left behind where there is none."""
    folder = paths.build_dir(model)
    if not makes and not folder.is_dir():
        yield
        return

    def waits() -> None:
        click.echo(f"{paths.shown(folder)} is in use by another tinyproof; waiting for it", err=True)

    with locked(folder, shared=shared, waits=waits):
        yield


def select_model(config: Config, text: str | None) -> Config:
    """`config` for --model: a file is imported first, unless its build is there already."""
    if text is None:
        return config
    found = find_model_file(text)
    if found is None:
        return dataclasses.replace(config, model=text)
    return import_file(config, found, Wanted(), again=False)[0]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the options say of how to quantize a float model, and of its build's name; None where one is left out."""

    calibration: Path | None = None
    low: float | None = None
    high: float | None = None
    activations: str | None = None
    name: str | None = None
    values: tuple[float, float] | None = None


def find_brought(model: str | None, wanted: Wanted) -> ModelFile | None:
    """The file that --model names, None where it names a build. Raises UsageError where an option wants a file."""
    found = find_model_file(model) if model else None
    for option, value in (("--calibration", wanted.calibration), ("--activations", wanted.activations)):
        if found is None and value is not None:
            raise UsageError(f"{option} quantizes a file: name it with --model FILE")
    if wanted.name is None:
        return found
    if found is None:
        raise UsageError("--name is for the build of a file: name that with --model FILE")
    paths.build_dir(wanted.name)
    return dataclasses.replace(found, name=wanted.name)


def import_file(
    config: Config,
    found: ModelFile,
    wanted: Wanted,
    *,
    again: bool = True,
    keep_dead: bool = False,
) -> tuple[Config, Manifest]:
    """(config for its build, manifest) of a file with a model.

    Makes the build the current one. `again`: even if the build holds that file already. `keep_dead`: as in
    lowering.lower.
    """
    from tinyproof.core.manifest import read_manifest
    from tinyproof.export.calibration import Calibration
    from tinyproof.export.import_model import import_model, is_current, other_origin

    config = dataclasses.replace(config, model=found.name)
    folder = paths.build_dir(found.name)
    asked = Calibration(
        wanted.calibration, wanted.low, wanted.high, config.export.seed, wanted.activations, wanted.values
    )
    with hold(found.name, makes=True):
        if not again and is_current(found, folder, asked):
            manifest = read_manifest(folder)
        else:
            if (other := other_origin(found, folder)) is not None and (wanted.name or not other.exists()):
                click.echo(f"{paths.shown(folder)} held the model of {other}, and is replaced", err=True)
            manifest = import_model(found, folder, asked, keep_dead=keep_dead, replace=wanted.name is not None)
    paths.CURRENT_FILE.parent.mkdir(parents=True, exist_ok=True)
    write_at_once(paths.CURRENT_FILE, f"{found.name}\n")
    return config, manifest


def was_imported(config: Config) -> bool:
    """Whether build/<config.model> is a model that was brought: it has nothing to train."""
    from tinyproof.core.manifest import FILE, read_manifest

    folder = paths.build_dir(config.model)
    return (folder / FILE).is_file() and read_manifest(folder).source is not None


def check_new_name(name: str) -> None:
    """Before the lesson is trained as build/<name>. Raises UsageError where that looks like the misspelt name of a
    model that was brought: a neuron would be proven in its place."""
    from tinyproof.core.manifest import FILE, read_manifest

    if paths.build_dir(name).exists():
        return
    brought = []
    for path in paths.BUILD.glob(f"*/{FILE}"):
        with contextlib.suppress(UsageError):  # a damaged build is a matter for whoever asks for it
            if read_manifest(path.parent).source is not None:
                brought.append(path.parent.name)
    close = difflib.get_close_matches(name, brought, n=1)
    if close:
        raise UsageError(
            f"no build {name!r}; did you mean {close[0]}? (to train the lesson's neuron under this name: "
            f"./tinyproof train --model {name})"
        )


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
