# SPDX-License-Identifier: Apache-2.0
"""Tables of samples as people have them: with a header or without, between commas, semicolons or tabs. Not trusted."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass

from tinyproof.core.errors import InputFileError

COUNTED = 4  # 0,1,2,3 in the first line is no sample
LABEL_COLUMNS = ("y", "label", "class")
FLOAT32_MAX = 3.4028234663852886e38
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class SampleTable:
    """`x`: a row of numbers for each sample. `answers`: the cell with its answer, None where the table has none.
    `lines`: of the file, where each sample stands."""

    x: list[list[float]]
    answers: list[str] | None
    lines: list[int]


def read_table(content: bytes, name: str, elements: int, *, sequences: bool = False) -> SampleTable:
    """The table in the bytes of a file called `name`.

    A header names the columns; the one called y, label or class is the answer, and an unnamed first one, as pandas
    writes it, is left out. Without a header the last column is the answer where it holds words, or where the table has
    a column more than a sample has values: `elements`, or with `sequences` any whole number of them. Raises
    InputFileError naming the line.
    """
    lines = _lines(content, name)
    first = next((line for line in lines if line.strip()), "")
    mark = next((mark for mark in (";", "\t") if mark in first), ",")
    decimal_comma = mark == ";"
    reader = csv.reader(lines, delimiter=mark, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any("\n" in cell or "\r" in cell for cell in cells):
                raise InputFileError(
                    f"{name}:{reader.line_num}: a cell goes on after the end of its line; close its quotes"
                )
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [_plain(cell, decimal_comma=decimal_comma) for cell in cells]))
    except csv.Error as error:
        raise InputFileError(f"{name}:{reader.line_num}: {error}") from None
    if not rows:
        return SampleTable([], None, [])
    columns = len(rows[0][1])
    has_header, counts = _is_header(rows[0][1]), _counts_columns(rows[0][1])
    for line, cells in rows:
        if len(cells) != columns:
            whose = "the header" if has_header else "the first line"
            raise InputFileError(f"{name}:{line}: {len(cells)} cells where {whose} has {columns}")
    if counts:
        del rows[0]
    if has_header:
        answer, left_out = _named(rows.pop(0)[1], name)
    else:
        answer, left_out = (_last(rows[0][1], elements, sequences=sequences) if rows else None), None
    kept = [index for index in range(columns) if index not in (answer, left_out)]
    x = [[read_number(cells[index], f"{name}:{line}") for index in kept] for line, cells in rows]
    return SampleTable(x, None if answer is None else [cells[answer] for _, cells in rows], [line for line, _ in rows])


def _lines(content: bytes, name: str) -> list[str]:
    try:
        return content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise InputFileError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


def _plain(cell: str, *, decimal_comma: bool) -> str:
    """Where semicolons part the cells, a comma in a number is a decimal one."""
    cell = cell.strip()
    return cell.replace(",", ".") if decimal_comma and _DECIMAL_COMMA.fullmatch(cell) else cell


def _is_header(cells: list[str]) -> bool:
    """Words make one; a word in the last place alone may be an answer, if it is not a column's name."""
    if len(cells) > 1 and all(is_number(cell) for cell in cells[:-1]):
        return cells[-1].lower() in LABEL_COLUMNS
    return not all(is_number(cell) for cell in cells)


def _counts_columns(cells: list[str]) -> bool:
    """Whether it is what pandas writes where columns have no names."""
    return len(cells) >= COUNTED and cells == [str(index) for index in range(len(cells))]


def _named(header: list[str], name: str) -> tuple[int | None, int | None]:
    """(column of the answers, column that is left out) by their names."""
    answers = [index for index, title in enumerate(header) if title.lower() in LABEL_COLUMNS]
    if len(answers) > 1:
        raise InputFileError(f"{name}:1: two columns of answers; name one of them y, label or class")
    return (answers[0] if answers else None), (0 if not header[0] and len(header) > 1 else None)


def _last(cells: list[str], elements: int, *, sequences: bool) -> int | None:
    """The last column's index where it is the answer of a table without a header."""
    values = len(cells)
    if not is_number(cells[-1]):
        return values - 1
    one_more = values - 1 == elements
    if values == elements or (sequences and values % elements == 0 and not one_more):
        return None
    frames_and_one = sequences and values > 1 and (values - 1) % elements == 0
    return values - 1 if one_more or frames_and_one else None


def read_number(cell: str, where: str) -> float:
    """What stands in a cell. Raises InputFileError, beginning with `where`, for what is no finite float32."""
    if not is_number(cell) or not math.isfinite(value := float(cell)) or abs(value) > FLOAT32_MAX:
        raise InputFileError(f"{where}: {cell[:40]!a} is not a finite number")
    return value


def is_number(cell: str) -> bool:
    """Whether Python reads it as one, without the underscores that it allows."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
