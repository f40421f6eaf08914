# SPDX-License-Identifier: Apache-2.0
"""What a labelled data set says of the model: accuracy of float and board, confusion, precision and recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyproof.report.build_data import BoardResult

SHOWN_CLASSES = 16  # of a confusion matrix; of more classes the table of each stays
SHOWN_CHANGES = 20


@dataclass(frozen=True)
class ClassScore:
    """Precision and recall are None where there is nothing to divide by."""

    number: int
    samples: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Change:
    """A sample of which int8 answers another class than float."""

    sample: int
    float_class: int
    board_class: int
    label: int | None


@dataclass(frozen=True)
class Labelled:
    """Of one board and data set. `confusion`: [label][answer], None for other labels than class numbers."""

    board: str
    document: dict[str, Any]
    confusion: list[list[int]] | None
    scores: list[ClassScore]
    changes: list[Change]
    changed: int | None

    @property
    def shows_matrix(self) -> bool:
        """Whether the confusion matrix has room."""
        return self.confusion is not None and len(self.confusion) <= SHOWN_CLASSES


def labelled(boards: list[BoardResult]) -> list[Labelled]:
    """One for each board that was asked a data set; those with accuracy first."""
    found = [_labelled(board) for board in boards if board.dataset.get("samples")]
    return sorted(found, key=lambda one: one.document.get("accuracy") is None)


def class_scores(confusion: list[list[int]]) -> list[ClassScore]:
    """precision = right / answered so, recall = right / labelled so."""
    scores = []
    for number, row in enumerate(confusion):
        right, answered = row[number], sum(line[number] for line in confusion)
        labelled_so = sum(row)
        scores.append(
            ClassScore(
                number,
                labelled_so,
                right / answered if answered else None,
                right / labelled_so if labelled_so else None,
            )
        )
    return scores


def _labelled(board: BoardResult) -> Labelled:
    document = board.dataset
    ours, theirs = document.get("accuracy") or {}, document.get("float_accuracy") or {}
    confusion = ours.get("confusion")
    mine, other, labels = ours.get("answered"), theirs.get("answered"), ours.get("labels")
    changes = None
    if mine and other and len(mine) == len(other):
        changes = [
            Change(place, before, after, labels[place] if labels else None)
            for place, (before, after) in enumerate(zip(other, mine, strict=True))
            if before != after
        ]
    return Labelled(
        board.name,
        document,
        confusion,
        class_scores(confusion) if confusion else [],
        (changes or [])[:SHOWN_CHANGES],
        None if changes is None else len(changes),
    )
