# SPDX-License-Identifier: Apache-2.0
"""A board asked with progress on the terminal: what `check`, `run`, `bench` and `canary` share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.checking import check_and_locate, check_samples
from tinyproof.cli import console
from tinyproof.cli.progress import progress
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import Config
from tinyproof.core.paths import build_dir

if TYPE_CHECKING:
    from tinyproof.core.data_set import DataForm
    from tinyproof.host.bits import Progress
    from tinyproof.host.check_report import CheckReport, DatasetReport


def run_check(config: Config, port: str | None = None) -> CheckReport:
    """Checks config.board against build/<config.model>, showing progress on a terminal."""
    board = find_board(config.board)
    with _bar(board) as (progress, differs):
        return check_and_locate(board, build_dir(config.model), port, config.check, progress, differs)


def run_samples(
    config: Config, port: str | None, dataset: Path, limit: int | None, form: DataForm | None = None
) -> DatasetReport:
    """Asks config.board the samples of `dataset`, showing progress on a terminal."""
    board = find_board(config.board)
    with _bar(board) as (progress, differs):
        return check_samples(
            *(board, build_dir(config.model), port, config.check, dataset, limit, progress, differs),
            remark=console.remark,
            form=form,
        )


@contextlib.contextmanager
def _bar(board: Board) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """What a check calls while it asks, and what is called when a difference is being looked into."""
    with progress() as bar:
        task = bar.add_task(f"check {board.name}")
        yield (
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda: bar.update(task, note="looks for the layer"),
        )
