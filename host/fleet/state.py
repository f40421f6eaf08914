# SPDX-License-Identifier: Apache-2.0
"""What a shelf is to offer, and what is known of a fleet that is up, in files of its folder."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.board_spec import find_board

WANTED, STATE = "shelf.json", "fleet.json"
READY_S = 30.0  # until labgrid's programs answer


@dataclass(frozen=True)
class Offer:
    """A place. `device`: the file of a real board, "" of a simulated one."""

    place: str
    board: str
    device: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """What the place can be asked for by."""
        board = find_board(self.board)
        return {
            "board": board.name,
            "isa": board.isa.replace("-", ""),
            "simulated": "no" if self.device else "yes",
        }


@dataclass(frozen=True)
class ShelfPlan:
    """`listen`: HOST:PORT of the coordinator that is to run here, or "" where `coordinator` is one elsewhere. `host`:
    the name or address by which other machines reach this one, and at which ports are opened. `python`: labgrid's."""

    name: str
    python: str
    host: str
    listen: str
    coordinator: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class State:
    """Of a fleet that is up. `started`: seconds since 1970."""

    pid: int
    coordinator: str
    name: str
    places: tuple[str, ...]
    started: float
