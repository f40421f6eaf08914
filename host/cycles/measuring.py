# SPDX-License-Identifier: Apache-2.0
"""Cycles of an inference, or of each operator, on a simulated board whose core has a cycle model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.host.cycles.cortex_m4 import CortexM4
from tinyproof.host.cycles.counts import Counter, counting
from tinyproof.host.session import open_session
from tinyproof.host.targets.emulator import Emulator, firmware_elf

MODELS = {"cortex-m4": CortexM4}  # by a board's `cycle_model`
INFERENCE = "engine_run"


@dataclass(frozen=True)
class CycleCount:
    """An emulator that runs, and what its counted functions have cost so far."""

    emulator: Emulator
    counter: Counter
    model: CortexM4

    def cycles(self) -> list[int]:
        """Of each call that has returned, in their order."""
        return [self.model.cycles(call) for call in self.counter.calls()]


@contextlib.contextmanager
def count_cycles(board: Board, elf: Path, functions: Sequence[str]) -> Iterator[CycleCount]:
    """Starts `elf`; the board must have a cycle model. Raises EnvironmentFaultError where nothing can be counted."""
    with counting(board, elf, functions) as counter, Emulator(board, elf, counter.options) as emulator:
        yield CycleCount(emulator, counter, MODELS[board.cycle_model](elf))


def inference_cycles(board: Board, build_dir: Path, inputs: Sequence[bytes], config: CheckConfig) -> list[int]:
    """Of an inference with each of `inputs`, from the engine's first instruction to its return.

    A model with state is not reset in between. Raises what `open_session` and `count_cycles` raise.
    """
    with (
        count_cycles(board, firmware_elf(board, build_dir), [INFERENCE]) as counted,
        open_session(board, build_dir, counted.emulator.port, config) as session,
    ):
        session.begin()
        for content in inputs:
            session.inference.by_parts(content)
        return counted.cycles()
