# SPDX-License-Identifier: Apache-2.0
"""`tinyproof export`: from the trained model to int8, C code, vectors and the manifest."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from tinyproof.builds import Wanted, find_brought, run_export
from tinyproof.cli import console
from tinyproof.cli.library_options import LibraryOptions, library_options
from tinyproof.cli.model_option import (
    activations_option,
    calibration_option,
    hold,
    import_file,
    model_option,
    name_option,
    print_import,
    print_removed,
    select_model,
    values_option,
)
from tinyproof.cli.show_bits import say_coverage
from tinyproof.cli.tables import stage_line
from tinyproof.core import paths
from tinyproof.core.config import ExportConfig, load_config
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest, QuantizationReport
from tinyproof.core.model_file import ModelFile


class RamBudget(click.ParamType[str]):
    """Bytes, or a word for how to choose."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As schedules.schedule takes it."""
        from tinyproof.export.schedules import is_budget

        if is_budget(value):
            return str(value)
        return self.fail(f"{value!r} is neither a number of bytes nor small or min", param, ctx)


@click.command()
@click.option("--low", type=float, help="Smallest x that will be asked. [default: -10]")
@click.option("--high", type=float, help="Largest x that will be asked. [default: 10]")
@click.option("--seed", type=int, help="Seed of random inputs and vectors. [default: 1]")
@model_option
@name_option
@calibration_option
@values_option
@activations_option
@click.option("--board", help="Quantize in a form that this board's library computes. [default: qemu-cortex-m4]")
@click.option("--keep-dead", is_flag=True, help="Compute channels, too, on which no answer depends.")
@click.option(
    "--ram",
    type=RamBudget(),
    default="",
    metavar="BYTES|small|min",
    help="The fastest plan of the arena that fits; small: the least RAM for 5 % more instructions; min: the least.",
)
@library_options
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON document instead of the lines.")
def command(
    low: float | None,
    high: float | None,
    seed: int | None,
    model: str | None,
    name: str | None,
    calibration: Path | None,
    values: tuple[float, float] | None,
    activations: str | None,
    board: str | None,
    keep_dead: bool,
    ram: str,
    library: LibraryOptions,
    as_json: bool,
) -> None:
    """Quantize the trained model to int8 over the range of x that will be asked, and compile it to C.

    Writes model.tflite, model_data.c/.h, model_compiled.c/.h, vectors.json and manifest.json to build/<model>/, and
    says how much of the range saturates and what a quantization step costs. Defaults come from tinyproof.toml where
    there is one.

    A model that is brought becomes build/<its name>/: an integer .tflite as it is; a float .tflite, a .keras, an .h5 or
    a SavedModel after quantization with --calibration, or with --low and --high where it takes one number.

    Vectors are all inputs where there are 256; otherwise those that let faults show, and the line `vectors` says how
    many of some that were planted in the weights they do show.

    With --ram the arena shrinks: operators take turns by some rows, so that what lies between them never exists as a
    whole, and other ways that cost instructions. The bits stay the same.

    Channels that interval analysis proves constant for every input are folded into the layer behind them, and those
    that nothing live reads, or that are the same as another one, are left out, and so are operators that are constants,
    unless --keep-dead: the answers are the same to the bit. model.tflite stays as it is.

    With --as and --to, the model of a build, or of a file, becomes a library for your own firmware: one header, a
    self-test, an example, and a README that says how to call it.
    """
    config = load_config(paths.CONFIG_FILE)
    library.check()
    export = ExportConfig(
        low=config.export.low if low is None else low,
        high=config.export.high if high is None else high,
        seed=config.export.seed if seed is None else seed,
    )
    config = dataclasses.replace(config, export=export, board=board or config.board)
    # With --as, --name is the library's.
    wanted = Wanted(calibration, low, high, activations, None if library.kind else name, values)
    found = find_brought(model, wanted)
    given = {"--low": low, "--high": high, "--seed": seed, "--board": board}
    given |= {"--keep-dead": keep_dead or None, "--ram": ram or None}
    changing = [option for option, value in given.items() if value is not None]
    if library.kind is not None and _is_made(found, wanted, changing):
        library.write(select_model(config, model or config.model), name, as_json=as_json)
        return
    if found is None:
        config = dataclasses.replace(config, model=model or config.model)
        with hold(config.model, makes=True):
            manifest = run_export(config, keep_dead=keep_dead, ram=ram)
    else:
        config, manifest = import_file(config, found, wanted, keep_dead=keep_dead, ram=ram)
        if library.kind is not None:
            library.write(config, name, as_json=as_json)
            return
    from tinyproof.host.expected import read_vectors

    folder = paths.build_dir(manifest.model)
    vectors = read_vectors(folder)
    if as_json:
        console.print_json({**manifest.as_dict(), "coverage": vectors.coverage})
        return
    if found is None:
        print_export(manifest)
    else:
        print_import(manifest)
    say_coverage(vectors.kind, vectors.coverage)
    console.print_next(f"./tinyproof build --model {manifest.model}")


def _is_made(found: ModelFile | None, wanted: Wanted, changing: list[str]) -> bool:
    """Whether a library is made of what was exported before, for that is what was proven: nothing is quantized again.

    Raises UsageError where `changing`, options that make another build, are given with one that is there.
    """
    if found is None and changing:
        options = ", ".join(changing)
        raise UsageError(f"--as takes a build as it is: export with {options} first, without --as, and prove that")
    return found is None or (wanted == Wanted() and not changing)


def print_export(manifest: Manifest) -> None:
    """The lines that `export` and `run` show: size, range and id, then what quantization costs."""
    report = manifest.quantization
    size = f"model.tflite {manifest.artefacts['model.tflite'].bytes:,} B"
    asked = f"int8, x in [{report.low:g}, {report.high:g}]" if report is not None else "int8"
    click.echo(stage_line("export", size, f"{asked}    id {manifest.model_id}"))
    if manifest.memory is not None:
        print_removed(manifest.memory.removed, manifest.memory.macs)
    if not isinstance(report, QuantizationReport):
        return
    clipped = {"input": report.input_clip_share, "output": report.output_clip_share}
    if report.questions_beyond:
        points = ", ".join(f"{x:g}" for x in report.questions_beyond)
        saturation = f"SATURATES at questions that will be asked: x = {points}; widen --low and --high"
    elif any(clipped.values()):
        shares = " and ".join(f"{share:.1%} at the {end}" for end, share in clipped.items() if share)
        saturation = f"SATURATES: {shares} of the asked range; widen --low and --high"
    else:
        saturation = "nothing in the asked range saturates"
    worst = f"worst error {report.worst_error:.4g} at x = {report.worst_error_x:.4g}"
    click.echo(f"         step of y {report.step_y:<14.4g}{worst}")
    console.say("", saturation)
