# SPDX-License-Identifier: Apache-2.0
"""How many requests a second a board answers, one at a time."""

from __future__ import annotations

import time
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.host.session import open_session

WARM_UP = 256  # an emulator translates the firmware while it runs it for the first time
COUNT = 1000


def round_trips_per_second(board: Board, build_dir: Path, config: CheckConfig, request: str) -> float:
    """The mean rate over COUNT requests like `q 0`, after a warm-up; `request` is one that the board answers with ok.

    Raises BoardError as `open_session` and Link.request do.
    """
    with open_session(board, build_dir, None, config) as session:
        for _ in range(WARM_UP):
            session.client.request(request)
        started = time.perf_counter()
        for _ in range(COUNT):
            session.client.request(request)
        return COUNT / (time.perf_counter() - started)
