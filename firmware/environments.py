# SPDX-License-Identifier: Apache-2.0
"""The PlatformIO environments of the simulated boards, written from boards/*.toml, which PlatformIO does not read.

As with a lock file, simulated.ini is kept in the repository, so that `pio run` by hand and editors find every board,
and a build brings it up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.files import write_at_once
from tinyproof.core.paths import FIRMWARE

SIMULATED_INI = FIRMWARE / "simulated.ini"
_HEAD = """\
; SPDX-License-Identifier: Apache-2.0
; Written from boards/*.toml by ./tinyproof build; changes made here are lost.
"""


def section_of(board: Board) -> str:
    """The section of platformio.ini with the sources of a simulated board: which engine, and C or a sketch."""
    if board.engine == "tflm":
        return "simulated_tflm"
    return "simulated_arduino" if board.build.framework else "simulated"


def simulated_environments(boards: Iterable[Board]) -> str:
    """An environment for each simulated board, named after it: what simulated.ini holds."""
    environments = [
        f"\n[env:{board.name}]\nextends = {section_of(board)}\n" for board in boards if board.kind == "simulated"
    ]
    return _HEAD + "".join(environments)


def ensure_environments(path: Path = SIMULATED_INI) -> None:
    """Make `path` name every simulated board; changes nothing when it does."""
    write_at_once(path, simulated_environments(all_boards().values()))
