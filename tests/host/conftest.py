# SPDX-License-Identifier: Apache-2.0
"""A build, and boards that misbehave on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake_build import ID, X, Y, line, make_build
from support.faulty_board import Answering, Faults, FaultyBoard
from support.single_device import single_device


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    return make_build(tmp_path / "line")


@pytest.fixture
def start_board() -> Iterator[Callable[..., FaultyBoard]]:
    """Starts fake boards and stops them after the test."""
    boards: list[FaultyBoard] = []

    def start(faults: Faults | None = None, device: Answering | None = None, *, pty: bool = False) -> FaultyBoard:
        device = device or single_device(ID, X, Y, line, board="fake", engine="python")
        boards.append(FaultyBoard(device, faults or Faults(), pty=pty))
        return boards[-1]

    yield start
    for board in boards:
        board.stop()
