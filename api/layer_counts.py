# SPDX-License-Identifier: Apache-2.0
"""Instructions of each layer of a model on a board: measured, recorded in a file, compared with what was recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import InputFileError, MismatchError, UsageError
from tinyproof.localization import name_of

if TYPE_CHECKING:
    from tinyproof.export.profile_codegen import ProfiledOperator
    from tinyproof.host.step_trace import StepTrace

GROWTH = 0.01  # of a layer's instructions: more than that is a difference to be decided on
MARGIN = 0.9  # of a board's memory: what is estimated closer to its end is not built


def profile_simulated(
    board: Board, folder: Path, config: CheckConfig
) -> tuple[list[ProfiledOperator], list[StepTrace]]:
    """The operators of the build in `folder`, and each of a few inferences with it, by the emulator's counts.

    Raises UsageError where the model cannot be profiled, MismatchError where an operator answers other bits than the
    golden reference: then its counts mean nothing.
    """
    from tinyproof.export.profile_codegen import write_profile
    from tinyproof.firmware.platformio_build import build_profile
    from tinyproof.host.step_trace import sample_inputs, watch_cycles, watch_steps

    steps = write_profile(folder)
    elf = build_profile(board, folder).elf
    parts, inputs = [step.parts for step in steps], sample_inputs(folder)
    if board.cycle_model:
        seen = watch_cycles(board, folder, elf, parts, inputs, config, [step.function for step in steps])
    else:
        seen = watch_steps(board, folder, elf, parts, inputs, config)
    refuse_wrong_bits(board, steps, inputs, seen)
    return steps, seen


def refuse_wrong_bits(
    board: Board, steps: Sequence[ProfiledOperator], inputs: Sequence[bytes], seen: Sequence[StepTrace]
) -> None:
    """Raises MismatchError naming the first operator that is not the golden reference's."""
    for content, one in zip(inputs, seen, strict=True):
        if one.first_wrong is not None or not one.proven:
            where = "the output" if one.first_wrong is None else f"the output of {name_of(steps[one.first_wrong])}"
            x_q = f"{content[:8].hex()}{'...' if len(content) > 8 else ''}"
            raise MismatchError(f"{board.name}, input 0x{x_q}: {where} is not what TFLite Micro computes")


def measure_layers(board: Board, folder: Path, config: CheckConfig) -> list[dict[str, Any]]:
    """`index`, `name` and `instructions` of each operator, the mean over a few inputs; `cycles`, too, where the board's
    core has a cycle model. Raises what `profile_simulated` raises."""
    steps, seen = profile_simulated(board, folder, config)
    layers: list[dict[str, Any]] = [
        {"index": step.index, "name": step.name, "instructions": round(sum(column) / len(column))}
        for step, column in zip(steps, zip(*(one.ticks for one in seen), strict=True), strict=True)
    ]
    if board.cycle_model:
        for layer, column in zip(layers, zip(*(one.cycles for one in seen), strict=True), strict=True):
            layer["cycles"] = round(sum(column) / len(column))
    return layers


def is_counted(board: Board) -> bool:
    """Whether the board's emulator counts instructions, and its engine shows its operators."""
    return board.kind == "simulated" and board.engine == "compiled" and board.tick_unit == "insn" and not board.hidden


def counted_boards(tflite: bytes) -> list[Board]:
    """The boards that count instructions and that the model fits on."""
    from tinyproof.export.footprint import inspect_model

    boards = {name: board for name, board in all_boards().items() if is_counted(board)}
    fits = inspect_model(tflite, "model.tflite", list(boards.values()))["boards"]
    return [
        boards[fit["board"]]
        for fit in fits
        if fit["flash_bytes"] < MARGIN * fit["flash_limit"] and fit["ram_bytes"] < MARGIN * fit["ram_limit"]
    ]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows with `model`, `board` and `layers`, to a file that shows a change as the lines of the layers it is in."""
    parts = []
    for row in sorted(rows, key=lambda row: (row["model"], row["board"])):
        layers = ",\n   ".join(
            json.dumps({key: layer[key] for key in ("index", "name", "instructions")}) for layer in row["layers"]
        )
        head = json.dumps({"model": row["model"], "board": row["board"]})[:-1]
        parts.append(f'  {head}, "layers": [\n   {layers}]}}')
    path.write_text('{"results": [\n' + ",\n".join(parts) + "\n]}\n", encoding="utf-8", newline="\n")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of such a file, or of a document of `bench --json`. Raises InputFileError naming what is wrong."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["results"]
        return [
            {
                "model": str(row["model"]),
                "board": str(row["board"]),
                "layers": [
                    {
                        "index": int(layer["index"]),
                        "name": str(layer["name"]),
                        "instructions": int(layer["instructions"]),
                    }
                    for layer in row["layers"]
                ],
            }
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputFileError(
            f"{path}: not a document of ./tinyproof bench --json or --record ({type(fault).__name__}: {fault})"
        ) from None


@dataclass(frozen=True)
class Difference:
    """A layer, or all of a model's together, with other instructions than recorded; None where it is not there."""

    model: str
    board: str
    layer: str
    before: int | None
    now: int | None

    @property
    def grew(self) -> bool:
        """Whether by more than is let pass."""
        return self.before is not None and self.now is not None and self.now > self.before * (1 + GROWTH)

    def __str__(self) -> str:
        before, now = ("none" if count is None else f"{count:,}" for count in (self.before, self.now))
        share = f", {self.now / self.before - 1:+.1%}" if self.before and self.now else ""
        return f"{self.model} on {self.board}, {self.layer}: {before} -> {now} instructions{share}"


def differences(recorded: Sequence[dict[str, Any]], measured: Sequence[dict[str, Any]]) -> list[Difference]:
    """What of `measured` is otherwise in `recorded`. Raises UsageError where not one model on one board is in both."""
    before = {(row["model"], row["board"]): _by_layer(row) for row in recorded}
    common = [row for row in measured if (row["model"], row["board"]) in before]
    if not common:
        raise UsageError("nothing to compare: no model was measured on a board that it was recorded for")
    found = []
    for row in common:
        old, new = before[row["model"], row["board"]], _by_layer(row)
        found += [
            Difference(row["model"], row["board"], layer, old.get(layer), new.get(layer))
            for layer in dict.fromkeys((*new, *old))
            if old.get(layer) != new.get(layer)
        ]
    return found


def _by_layer(row: dict[str, Any]) -> dict[str, int]:
    layers = {f"operator {layer['index']} ({layer['name']})": layer["instructions"] for layer in row["layers"]}
    return {**layers, "all operators": sum(layers.values())}
