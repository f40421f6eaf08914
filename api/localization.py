# SPDX-License-Identifier: Apache-2.0
"""Where wrong bits begin: the first operator that leaves the reference. Part of `check`, `run` and `profile`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import TinyproofError

if TYPE_CHECKING:
    from tinyproof.core.tflite.graph import Operator
    from tinyproof.export.profile_codegen import ProfiledOperator
    from tinyproof.host.bits import Divergence
    from tinyproof.host.step_trace import StepTrace


def locate(
    board: Board,
    folder: Path,
    divergences: list[Divergence],
    config: CheckConfig,
    before: Callable[[Divergence], Sequence[bytes]] = lambda divergence: (),
) -> str:
    """Names the layer of the first divergence, in place. Returns a sentence where it cannot be named, with the reason.

    A simulated board is asked once more, with a firmware that runs the same generated C operator by operator; where
    that is right, the tables in the board's image are compared with the C's.
    `before`: the frames that the board has heard since a reset when the input comes.
    """
    from tinyproof.core.tflite.ends import device_ends
    from tinyproof.core.tflite.reader import read_file, read_graph

    first = divergences[0]
    try:
        graph = read_graph(read_file(folder / "model.tflite"))
        operators = device_ends(graph).operators
        tensor: int | None
        if len(operators) == 1:
            layer, tensor = name_of(operators[0]), operators[0].outputs[0]
        elif not can_profile(board):
            return _elsewhere(board)
        else:
            steps, seen, right = _ask_again(board, folder, first, config, before(first))
            wrong, tensor = seen.first_wrong, seen.wrong_tensor
            if wrong is None or seen.proven:
                wrong, tensor = _changed_in_flash(board, folder, steps, right), None
            if wrong is None:
                return (
                    "asked operator by operator, the board answers this input rightly: the fault is not in one operator"
                    " alone (another firmware or line than this build's, or code that the compiler merged)"
                )
            layer = name_of(steps[wrong])
            if tensor is None:  # what it computes first
                tensor = next((part.index for part in steps[wrong].parts), None)
    except TinyproofError as error:
        return f"the board could not be asked operator by operator: {error.message}"
    divergences[0] = dataclasses.replace(
        first, layer=layer, tensor="" if tensor is None else graph.tensors[tensor].name
    )
    return ""


def can_profile(board: Board) -> bool:
    """Whether this machine can start the board with another firmware by itself."""
    return board.kind == "simulated" and board.engine == "compiled"


def name_of(step: ProfiledOperator | Operator) -> str:
    """How messages name an operator: its number in the model, and its kind."""
    return f"operator {step.index} ({step.name})"


def _ask_again(
    board: Board, folder: Path, first: Divergence, config: CheckConfig, before: Sequence[bytes]
) -> tuple[list[ProfiledOperator], StepTrace, Path]:
    """The operators, what they did, and the image that they did it in."""
    from tinyproof.core.manifest import read_manifest
    from tinyproof.export.profile_codegen import write_profile
    from tinyproof.firmware.platformio_build import build_profile
    from tinyproof.host.session import layouts_of
    from tinyproof.host.step_trace import watch_steps

    x, _ = layouts_of(read_manifest(folder))
    inputs = [*before, x.content(first.x_q)]
    steps = write_profile(folder)
    elf = build_profile(board, folder).elf
    parts = [step.parts for step in steps]
    return steps, watch_steps(board, folder, elf, parts, inputs, config, sequence=True)[-1], elf


def _changed_in_flash(board: Board, folder: Path, steps: list[ProfiledOperator], right: Path) -> int | None:
    """The first operator whose tables in the board's image are not those of the generated C, as after a bad upload."""
    from tinyproof.firmware.elf_tables import changed_operator

    elf = folder / "boards" / board.name / "firmware.elf"
    number = changed_operator(elf, right) if elf.is_file() else None
    return next((place for place, step in enumerate(steps) if step.number == number), None)


def _elsewhere(board: Board) -> str:
    """Where else to look on a board that is not asked again."""
    if board.engine == "tflm":
        return (
            "Google's interpreter does not show its operators here; "
            f"./tinyproof canary --board {board.name} names the part of its arithmetic that is broken"
        )
    if board.kind == "serial":
        return f"./tinyproof profile --board {board.name} names the operator, with a firmware of its own"
    return f"board {board.name} has no firmware to ask operator by operator"
