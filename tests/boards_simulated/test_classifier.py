# SPDX-License-Identifier: Apache-2.0
"""At night, a network of several kinds of layers on every simulated board: the matrix of each day has dense ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.shared_builds import gestures_build

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.matrix import simulated_boards

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def gestures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The imported classifier of `tinyproof example`; each board builds in a folder of its own inside."""
    return gestures_build(tmp_path_factory)


@pytest.mark.parametrize("name", [board.name for board in simulated_boards()])
def test_a_classifier_is_proven_on_every_board(gestures: Path, name: str) -> None:
    board = find_board(name)
    build(board, gestures)
    report = check(board, gestures, None, CheckConfig(timeout_s=30.0))
    assert report.mismatch() == ""
    assert report.proven
    assert report.bits.checked == 256
