# SPDX-License-Identifier: Apache-2.0
"""Data to learn from: the lesson's six points, or a CSV that the user brings (and that is not trusted)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import InputFileError
from tinyproof.core.files import file_bytes
from tinyproof.core.origin import Neuron

LESSON_X = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
LESSON_Y = (-3.0, -1.0, 1.0, 3.0, 5.0, 7.0)
LESSON_RULE = Neuron(2.0, -1.0)

COLUMNS = ("x", "y")
MAX_BYTES = 16 * 1024 * 1024
FLOAT32_MAX = 3.4028234663852886e38
# Narrower than float(), which also takes "1_000" and the digits of other scripts: most likely slips of the pen.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Data:
    """Points to learn from. `rule`: the w and b behind them, where known. `sha256`: of the CSV's bytes."""

    source: str
    sha256: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    rule: Neuron | None = None


def lesson() -> Data:
    """The six points of y = 2x - 1. The hash is that of the same points as a CSV, so that a copy can be compared."""
    lines = ["x,y", *(f"{x:g},{y:g}" for x, y in zip(LESSON_X, LESSON_Y, strict=True))]
    content = "".join(f"{line}\n" for line in lines).encode()
    return Data("the lesson", hashlib.sha256(content).hexdigest(), LESSON_X, LESSON_Y, LESSON_RULE)


def read_csv(path: Path) -> Data:
    """Read a UTF-8 CSV (RFC 4180) whose header names the columns x and y; further columns are ignored.

    A byte order mark, CRLF, spaces around cells and blank lines are accepted.
    Raises InputFileError naming the file, the line and the bad text.
    """
    return parse_csv(_read(path), path.name)


def parse_csv(content: bytes, name: str) -> Data:
    """As `read_csv`, for the bytes of a file called `name`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputFileError(
            f"{name}:{line}: byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    columns: tuple[list[float], list[float]] = ([], [])
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) and len(cells) <= 1:
                continue
            where = f"{name}:{reader.line_num}"
            if header is None:
                header = _check_header(cells, where)
                continue
            if len(cells) != len(header):
                raise InputFileError(f"{where}: {len(cells)} cells where the header has {len(header)}")
            for column, values in zip(COLUMNS, columns, strict=True):
                values.append(_number(cells[header.index(column)], column, where))
    except csv.Error as error:
        raise InputFileError(f"{name}:{reader.line_num}: {error}") from None
    if header is None:
        raise InputFileError(f"{name}: the file is empty; it needs a header line x,y and at least 2 rows of numbers")
    x, y = columns
    if len(x) < 2:
        raise InputFileError(f"{name}:{reader.line_num}: {len(x)} rows of numbers; a line needs at least 2")
    return Data(name, hashlib.sha256(content).hexdigest(), tuple(x), tuple(y))


def _read(path: Path) -> bytes:
    try:
        file_bytes(path)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; --data takes a CSV with the columns x,y") from None
    if len(content) > MAX_BYTES:
        raise InputFileError(f"{path.name}: larger than {MAX_BYTES >> 20} MiB, too much for a gradient over all rows")
    return content


def _check_header(cells: list[str], where: str) -> list[str]:
    for column in COLUMNS:
        if cells.count(column) != 1:
            problem = "missing column" if column not in cells else "more than one column"
            header = _shown(",".join(cells))
            raise InputFileError(f"{where}: {problem} {column} in the header {header}; the first line must be x,y")
    return cells


def _number(cell: str, column: str, where: str) -> float:
    if not NUMBER.fullmatch(cell):
        problem = "not finite" if NOT_FINITE.fullmatch(cell) else "not a number"
        raise InputFileError(f"{where}: column {column}: {_shown(cell)} is {problem}")
    value = float(cell)
    if abs(value) > FLOAT32_MAX:
        raise InputFileError(f"{where}: column {column}: {_shown(cell)} is beyond the range of float32")
    return value


def _shown(text: str) -> str:
    """At most 40 characters of untrusted text, quoted, with control characters escaped."""
    return ascii(text if len(text) <= 40 else f"{text[:37]}...")
