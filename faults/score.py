# SPDX-License-Identifier: Apache-2.0
"""What all verdicts come to: the table of kinds, and the document of faults.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyproof.faults.judging import ANSWERS, DIGESTS, EQUIVALENT, FOUND, IMAGE, MISSED, STOPPED, FaultVerdict
from tinyproof.faults.kinds import KINDS

FILE = "faults.json"


@dataclass(frozen=True)
class BoardSample:
    """Of `asked` faults that were planted into the image on the simulated board, `same` ended there as on this machine;
    `different` says which did not."""

    asked: int
    same: int
    different: list[str]


@dataclass(frozen=True)
class FaultScore:
    """`verdicts`: of all faults. `board`: what a sample of them did on the simulated board, None where it was not
    asked. `command` repeats it."""

    model: str
    model_id: str
    board_name: str
    seed: int
    verdicts: Sequence[FaultVerdict]
    board: BoardSample | None
    command: str
    seconds: float

    def rows(self) -> list[dict[str, Any]]:
        """Of each kind that was planted, how it ended."""
        found = []
        for kind in KINDS:
            ends = [verdict.how for verdict in self.verdicts if verdict.fault.kind == kind]
            if ends:
                found.append({"kind": kind, **_counts(ends)})
        return found

    @property
    def missed(self) -> list[FaultVerdict]:
        """In the order of the kinds."""
        return [verdict for verdict in self.verdicts if verdict.how == MISSED]

    @property
    def holds(self) -> bool:
        """Whether nothing was missed, and the board agrees with what was seen here."""
        return not self.missed and (self.board is None or not self.board.different)

    def as_dict(self) -> dict[str, Any]:
        """The document of faults.json and --json."""
        board = None
        if self.board is not None:
            board = {"asked": self.board.asked, "same": self.board.same, "different": self.board.different}
        return {
            "model": self.model,
            "model_id": self.model_id,
            "board": self.board_name,
            "seed": self.seed,
            "rows": self.rows(),
            **_counts([verdict.how for verdict in self.verdicts]),
            "missed_places": [f"{verdict.fault}: {verdict.why}" for verdict in self.missed],
            "equivalent_places": [
                f"{verdict.fault}: {verdict.why}" for verdict in self.verdicts if verdict.how == EQUIVALENT
            ],
            "on_board": board,
            "command": self.command,
            "seconds": self.seconds,
        }


def _counts(ends: Sequence[str]) -> dict[str, int]:
    """`found` by any way, and then by which first."""
    return {
        "planted": len(ends),
        "found": sum(how in FOUND for how in ends),
        "by_answers": ends.count(ANSWERS),
        "by_stopping": ends.count(STOPPED),
        "by_digests": ends.count(DIGESTS),
        "by_image": ends.count(IMAGE),
        "equivalent": ends.count(EQUIVALENT),
        "missed": ends.count(MISSED),
    }
