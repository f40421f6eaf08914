# SPDX-License-Identifier: Apache-2.0
"""How many requests a second a board answers, one at a time."""

from __future__ import annotations

import time
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.host.check import board_port
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of

WARM_UP = 256  # an emulator translates the firmware while it runs it for the first time
COUNT = 1000


def round_trips_per_second(board: Board, build_dir: Path, config: CheckConfig, request: str) -> float:
    """The mean rate over COUNT requests like `q 0`, after a warm-up; `request` is one that the board answers with ok.

    Raises BoardError as Link.request does.
    """
    with (
        board_port(board, build_dir, None) as name,
        Link(name, policy_of(board), config.timeout_s, config.retries) as link,
    ):
        for _ in range(WARM_UP):
            link.request(request)
        started = time.perf_counter()
        for _ in range(COUNT):
            link.request(request)
        return COUNT / (time.perf_counter() - started)
