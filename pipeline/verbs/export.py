# SPDX-License-Identifier: Apache-2.0
"""`tinyproof export`: from the trained model to int8, C code, vectors and the manifest."""

from __future__ import annotations

import dataclasses

import click

from pipeline import console, project
from pipeline.config import Config, ExportConfig, load_config
from pipeline.manifest import Manifest


@click.command()
@click.option("--low", type=float, help="Smallest x that will be asked. [default: -10]")
@click.option("--high", type=float, help="Largest x that will be asked. [default: 10]")
@click.option("--seed", type=int, help="Seed of random inputs and vectors. [default: 1]")
@click.option("--model", metavar="NAME", help="Folder in build/ with the trained model. [default: neuron]")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON document instead of the lines.")
def command(low: float | None, high: float | None, seed: int | None, model: str | None, as_json: bool) -> None:
    """Quantize the trained model to int8 over the range of x that will be asked, and compile it to C.

    Writes model.tflite, model_data.c/.h, model_compiled.c/.h, vectors.json and manifest.json to build/<model>/, and
    says how much of the range saturates and what a quantization step costs. Defaults come from tinyproof.toml where
    there is one.
    """
    config = load_config(project.CONFIG_FILE)
    export = ExportConfig(
        low=config.export.low if low is None else low,
        high=config.export.high if high is None else high,
        seed=config.export.seed if seed is None else seed,
    )
    config = dataclasses.replace(config, export=export, model=config.model if model is None else model)
    manifest = run_export(config)
    if as_json:
        console.print_json(dataclasses.asdict(manifest))
    else:
        print_export(manifest)


def run_export(config: Config) -> Manifest:
    """Export build/<model> and make it the current one. Raises UsageError when it is not trained, InputFileError."""
    build_dir = project.build_dir(config.model)
    from export.exporting import export_model

    manifest = export_model(config.export, config.check, build_dir)
    project.CURRENT_FILE.write_text(f"{config.model}\n", encoding="utf-8")
    return manifest


def print_export(manifest: Manifest) -> None:
    """The lines that `export` and `run` show: size, range and id, then what quantization costs."""
    report = manifest.quantization or {}
    size = f"model.tflite {manifest.artefacts['model.tflite'].bytes:,} B"
    asked = f"int8, x in [{report['low']:g}, {report['high']:g}]" if report else "int8"
    click.echo(f"export   {size:<24}{asked}    id {manifest.model_id}")
    if "step_y" not in report:
        return
    clipped = {"input": report["input_clip_share"], "output": report["output_clip_share"]}
    beyond = report.get("questions_beyond")
    if beyond:
        points = ", ".join(f"{x:g}" for x in beyond)
        saturation = f"SATURATES at questions that will be asked: x = {points}; widen --low and --high"
    elif any(clipped.values()):
        shares = " and ".join(f"{share:.1%} at the {end}" for end, share in clipped.items() if share)
        saturation = f"SATURATES: {shares} of the asked range; widen --low and --high"
    else:
        saturation = "nothing in the asked range saturates"
    step, error = report["step_y"], report["worst_error"]
    click.echo(
        f"         step of y {step:<14.4g}worst error {error:.4g} at x = {report['worst_error_x']:.4g}; {saturation}"
    )
