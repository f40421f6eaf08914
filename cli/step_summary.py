# SPDX-License-Identifier: Apache-2.0
"""GitHub's step summary: where GITHUB_STEP_SUMMARY names a file, what a verb found is added to it as Markdown.

Anywhere else nothing happens. Names in it are of users' files: none may become markup.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.escaping import escaped

if TYPE_CHECKING:
    from tinyproof.comparison import Measured
    from tinyproof.host.check_report import CheckReport, DatasetReport
    from tinyproof.matrix import MatrixRow

VARIABLE = "GITHUB_STEP_SUMMARY"
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#!|~&])")

Cells = Sequence[object]


def add_check(report: CheckReport | DatasetReport) -> None:
    """A check of vectors or of a data set, with the first differences where there are any."""
    bits, fault = report.bits, report.mismatch()
    rows: list[Cells] = [
        ("board", f"{report.board}, engine {report.engine}"),
        ("model", f"{report.model}, id {report.model_id}"),
        ("bits", f"{bits.same:,} of {bits.checked:,} identical to {report.reference}"),
        ("inference", f"at most {bits.ticks_max:,} {bits.tick_unit}"),
    ]
    if (many := getattr(report, "many", None)) is not None:
        rows.insert(
            3, ("made by seed", f"{many.checked - many.different:,} of {many.count:,} identical, seed {many.seed}")
        )
    accuracy = getattr(report, "accuracy", None) or {}
    if "share" in accuracy:
        rows.append(("accuracy", f"{accuracy['share']:.1%}"))
    elif "rmse" in accuracy:
        rows.append(("RMSE", f"{accuracy['rmse']:.4g}"))
    said = fault or bits.layer_note or getattr(report, "saturation", "")
    _add(f"{report.model} on {report.board}: {_verdict(proven=report.proven)}", ("", ""), rows, said)


def add_matrix(rows: Sequence[MatrixRow]) -> None:
    """A run on several boards."""
    table: list[Cells] = [
        (
            *(row.board, row.isa, f"{row.bits_checked - row.bits_different:,}/{row.bits_checked:,}"),
            *(_count(row.engine_flash_bytes), _count(row.engine_ram_bytes)),
            *(f"{row.ticks_max:,} {row.tick_unit}", _verdict(proven=row.proven)),
        )
        for row in rows
    ]
    proven = sum(row.proven for row in rows)
    titles = ("board", "instruction set", "bits", "flash B", "RAM B", "inference", "")
    _add(f"{proven} of {len(rows)} boards proven", titles, table, "; ".join(row.error for row in rows if row.error))


def add_bench(results: Sequence[dict[str, Any]]) -> None:
    """The models that `bench` measured."""
    table: list[Cells] = [
        (
            *(row["model"], f"{row['bits_checked'] - row['bits_different']:,}/{row['bits_checked']:,}"),
            *(_count(row["engine_flash_bytes"]), _count(row["engine_ram_bytes"])),
            *(_count(row["instructions_per_inference"]), _count(row["cycles_per_inference"])),
        )
        for row in results
    ]
    titles = ("model", "bits", "flash B", "RAM B", "instructions", "cycles")
    _add(f"Measured on {results[0]['board']}", titles, table)


def add_comparison(board: str, old: Measured, new: Measured, table: Iterable[Cells]) -> None:
    """Two builds side by side, a row for each figure as `compare` prints it."""
    _add(f"{old.name} -> {new.name} on {board}", ("", "old", "new", "change", "limit", ""), table)


def _add(title: str, titles: Cells, rows: Iterable[Cells], words: str = "") -> None:
    """Raises EnvironmentFaultError where the file cannot be written."""
    file = os.environ.get(VARIABLE)
    if not file:
        return
    lines = [f"### {_text(title)}", "", _row(titles), _row("---" for _ in titles), *map(_row, map(_texts, rows)), ""]
    if words:
        lines += [_text(words), ""]
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write("\n".join(lines) + "\n")
    except OSError as error:
        raise EnvironmentFaultError(f"{VARIABLE} names {file}, which cannot be written: {error.strerror}") from None


def _verdict(*, proven: bool) -> str:
    return "proven" if proven else "NOT PROVEN"


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _texts(cells: Cells) -> list[str]:
    return [_text(str(cell)) for cell in cells]


def _text(words: str) -> str:
    """`words` and nothing else, whatever characters they hold."""
    return _MARKUP.sub(r"\\\1", escaped(words))
