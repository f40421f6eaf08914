# SPDX-License-Identifier: Apache-2.0
"""How many planted faults a default check of a simulated board finds in a build: faults.json."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.core.board_spec import Board
from tinyproof.core.build_record import FIRMWARE_FILE, fault_of_firmware
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import shown

if TYPE_CHECKING:
    from tinyproof.faults.score import FaultScore

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, and of how many


def run_faults(
    board: Board,
    folder: Path,
    config: CheckConfig,
    *,
    kinds: Sequence[str],
    count: int,
    seed: int,
    sample: int,
    command: str,
    progress: Progress,
) -> FaultScore:
    """Plants about `count` faults of `kinds` into the build, and leaves faults.json there. `sample`: how many of them
    the board is asked with as well, and the kind `firmware`; 0 for none, then no firmware is needed. `command` repeats
    it.

    Raises UsageError where the build or its firmware is missing or changed, or the board is none that is simulated;
    EnvironmentFaultError without gcc or the board's emulator.
    """
    from tinyproof.faults.campaign import Campaign
    from tinyproof.faults.judging import judge_all
    from tinyproof.faults.score import FILE, FaultScore

    began = time.monotonic()
    manifest = read_manifest(folder)
    _refuse_board(board)
    images = _images(board, folder) if sample else None
    with tempfile.TemporaryDirectory(prefix="tinyproof-faults-") as name:
        campaign = Campaign(folder, board, Path(name), seed)
        faults, variants = campaign.choose(kinds, count)
        planted = campaign.run(faults, variants, progress)
        verdicts = judge_all(campaign, planted, images, lambda done: progress("judged", done, len(planted)))
        on_board = None
        if sample:
            from tinyproof.fault_boards import ask_board, swap_firmware, undefined_on_board

            verdicts = undefined_on_board(board, folder, campaign, verdicts, config)
            on_board = ask_board(
                board, folder, campaign, verdicts, sample, config, lambda done, of: progress("on the board", done, of)
            )
            if "firmware" in kinds:
                swaps = swap_firmware(board, folder, config, lambda done, of: progress("swapped", done, of))
                verdicts = [*verdicts, *swaps]
    score = FaultScore(
        *(manifest.model, manifest.model_id, board.name, seed, verdicts, on_board, command),
        round(time.monotonic() - began, 1),
    )
    write_at_once(folder / FILE, json.dumps(score.as_dict(), indent=1) + "\n")
    return score


def _refuse_board(board: Board) -> None:
    if board.kind != "simulated" or board.engine != "compiled":
        raise UsageError(f"board {board.name} is no simulated one with compiled kernels; take --board qemu-cortex-m4")


def _images(board: Board, folder: Path) -> tuple[Path, Path] | None:
    """The firmware and the one that traces it, None where the model has but one operator."""
    from tinyproof.export.profile_codegen import FOLDER as TRACED

    plain = folder / "boards" / board.name
    if fault := fault_of_firmware(plain, read_manifest(folder)):
        raise UsageError(f"{shown(plain / FIRMWARE_FILE)} {fault}; run ./tinyproof build --board {board.name}")
    traced = plain / TRACED
    if fault_of_firmware(traced, read_manifest(folder)):
        return None
    return plain / FIRMWARE_FILE, traced / FIRMWARE_FILE
