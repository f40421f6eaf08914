# SPDX-License-Identifier: Apache-2.0
"""`tinyproof inspect`: what a model is made of, and where it fits, before anything is built."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tinyproof.builds import Wanted
from tinyproof.cli import console
from tinyproof.cli.model_option import (
    activations_option,
    calibration_option,
    print_removed,
    values_option,
)
from tinyproof.cli.tables import WIDTH, aligned, middle_out
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.build_record import RAM_KINDS
from tinyproof.core.config import load_config
from tinyproof.core.errors import InputFileError
from tinyproof.core.escaping import escaped
from tinyproof.core.manifest import RemovedChannels
from tinyproof.inspection import boards_to_judge, run_inspect


@click.command()
@click.argument("model", metavar="NAME|FILE", required=False)
@click.option("--board", help="Judge only this board. [default: all that firmware is built for]")
@calibration_option
@values_option
@activations_option
@click.option("--low", type=float, help="Smallest x, to quantize a float model of one number.")
@click.option("--high", type=float, help="Largest x, likewise.")
@click.option("--tensors", is_flag=True, help="List the tensors, too, with their quantization.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
def command(
    model: str | None,
    board: str | None,
    calibration: Path | None,
    values: tuple[float, float] | None,
    activations: str | None,
    low: float | None,
    high: float | None,
    tensors: bool,
    as_json: bool,
) -> None:
    """Show operators, shapes, MACs, quantization and memory of a model, and a verdict for each board.

    NAME is a build (default: the configured one), FILE a .tflite, which is only read; a .keras or SavedModel is
    imported first and needs --calibration, or --low and --high. Constants and arena are exact, code is estimated
    unless this very model has been built for the board.
    """
    config = load_config(paths.CONFIG_FILE)
    boards = boards_to_judge() if board is None else [find_board(board)]
    wanted = Wanted(calibration, low, high, activations, values=values)
    document = run_inspect(config, model or config.model, boards, wanted)
    if as_json:
        console.print_json(document)
    elif "refused" in document:
        print_listing(document, tensors=tensors)
    else:
        print_inspection(document, tensors=tensors)
    if "refused" in document:
        raise InputFileError(document["refused"])


def print_listing(document: dict[str, Any], *, tensors: bool) -> None:
    """What a refused model holds."""
    _print_ends(document)
    marks = {(True, False): "", (True, True): "float", (False, True): "float, unknown", (False, False): "unknown"}
    rows = [
        (
            *(str(op["index"]), escaped(op["name"]), ", ".join(map(_shape, op["inputs"]))),
            *(", ".join(map(_shape, op["outputs"])), marks[op["known"], op["float"]]),
        )
        for op in document["operators"]
    ]
    click.echo()
    _table(("", "operator", "input", "output", "not taken"), rows, right=(0,), shorten=(1, 2, 3))
    if tensors:
        _print_tensors(document)


def _print_ends(document: dict[str, Any]) -> None:
    click.echo(f"model    {escaped(document['file'])}, id {document['model_id']}")
    for role in ("input", "output"):
        for end in document[f"{role}s"]:
            real = "" if end["scale_min"] is None else f", real = {end['scale_min']:.6g} * (q - {end['zero_point']})"
            click.echo(f"{role:<9}{end['dtype']} {_shape(end['shape'])}{real}")


def _print_tensors(document: dict[str, Any]) -> None:
    click.echo()
    titles = ("", "tensor", "shape", "type", "scale", "zero", "arena")
    _table(titles, [_tensor_row(tensor) for tensor in document["tensors"]], right=(0, 5, 6), shorten=(1, 4))


def print_inspection(document: dict[str, Any], *, tensors: bool) -> None:
    """Tables of at most 80 columns where names allow it."""
    _print_ends(document)
    click.echo(
        f"total    {document['macs']:,} MACs, {document['constant_bytes']:,} B of constants, "
        f"{document['arena_bytes']:,} B of arena"
    )
    if len(document["plans"]) > 1:
        less = (f"{plan['arena_bytes']:,} B for {plan['extra_share']:.2%}" for plan in document["plans"][1:])
        text = f"{', '.join(less)} more instructions, about; see export --ram"
        click.echo(textwrap.fill(text, WIDTH, initial_indent="less RAM ", subsequent_indent=" " * 9))
    if document["removed"] is not None:
        print_removed(RemovedChannels(**document["removed"]), document["macs"])
    rows = [
        (
            str(op["index"]),
            op["name"],
            ", ".join(map(_shape, op["inputs"])),
            ", ".join(map(_shape, op["outputs"])),
            f"{op['macs']:,}",
            f"{op['constant_bytes']:,}",
        )
        for op in document["operators"]
    ]
    click.echo()
    _table(("", "operator", "input", "output", "MACs", "constants B"), rows, right=(0, 4, 5), shorten=(1, 2, 3))
    if tensors:
        _print_tensors(document)
    click.echo()
    _print_boards(document["boards"])
    uses = [
        (fit["board"], *(f"{fit['ram'][f'{kind}_bytes']:,}" for kind in RAM_KINDS), f"{fit['ram_bytes']:,}")
        for fit in document["boards"]
    ]
    _table(("RAM B on", *RAM_KINDS, "all"), uses, right=tuple(range(1, 8)))


def _print_boards(fits: list[dict[str, Any]]) -> None:
    """What the model needs of each board, and has there; of one that is too small, in a line of its own, how much is
    missing."""
    rows = [
        (
            fit["board"],
            f"{fit['flash_bytes']:,} of {fit['flash_limit']:,}",
            f"{fit['ram_bytes']:,} of {fit['ram_limit']:,}",
            ("= " if fit["exact"] else "~ ") + ("fits" if fit["fits"] else "DOES NOT"),
        )
        for fit in fits
    ]
    head, *lines = aligned([("board", "flash B", "RAM B", "= built, ~ estimated"), *rows], right=(1, 2))
    click.echo(head)
    for fit, line in zip(fits, lines, strict=True):
        click.echo(line)
        if not fit["fits"]:
            click.echo(f"  {fit['verdict']}")
    click.echo()


def _tensor_row(tensor: dict[str, Any]) -> tuple[str, ...]:
    scale = "-"
    if tensor["scales"] == 1:
        scale = f"{tensor['scale_min']:.4g}"
    elif tensor["scales"]:
        scale = f"{tensor['scales']}: {tensor['scale_min']:.3g} to {tensor['scale_max']:.3g}"
    return (
        str(tensor["index"]),
        middle_out(escaped(tensor["name"]), 28),
        _shape(tensor["shape"]),
        tensor["dtype"],
        scale,
        "-" if tensor["zero_point"] is None else str(tensor["zero_point"]),
        "flash" if tensor["constant"] else "-" if tensor["offset"] is None else f"+{tensor['offset']:,}",
    )


def _shape(shape: list[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _table(
    titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: Sequence[int] = (), shorten: Sequence[int] = ()
) -> None:
    click.echo("\n".join(aligned([titles, *rows], right, shorten)))
