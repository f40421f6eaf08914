# SPDX-License-Identifier: Apache-2.0
"""Samples that a user brings, to calibrate a model or to ask a board: .npz or .csv, neither of them trusted.

.npz   array `x` [N, ...] in real values, or `x_q` [N, ...] as the int8 values themselves; `y` optional:
       class numbers [N], or real answers [N, outputs]
.csv   a header; the column `y` or `label` is the answer, every other column one element of the input, in order
"""

from __future__ import annotations

import csv
import hashlib
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError

MAX_BYTES = 1 << 30  # of the file, and of its arrays unpacked
LABEL_COLUMNS = ("y", "label")
_FLOAT32_MAX = 3.4028234663852886e38


@dataclass(frozen=True)
class Dataset:
    """`x`: float32 array [N, elements], or int8 where `quantized`. `y`: None, int64 [N] or float64 [N, outputs]."""

    file: str
    sha256: str
    x: Any
    y: Any
    quantized: bool = False

    def __len__(self) -> int:
        return len(self.x)


def read_dataset(path: Path, elements: int) -> Dataset:
    """Reads samples of `elements` values each. Raises InputFileError naming the file, the array or the line."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputFileError(f"{path.name}: {size:,} bytes; data sets may have up to {MAX_BYTES:,}")
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give a .npz or .csv file") from None
    suffix = path.suffix.lower()
    if suffix == ".npz":
        x, y, quantized = _read_npz(path, path.name)
    elif suffix == ".csv":
        (x, y), quantized = _read_csv(content, path.name), False
    else:
        raise InputFileError(f"{path.name}: a data set is a .npz or a .csv file")
    if not len(x):
        raise InputFileError(f"{path.name}: it holds no samples")
    x = x.reshape(len(x), -1)
    if x.shape[1] != elements:
        raise InputFileError(f"{path.name}: {x.shape[1]} values in each sample, the model takes {elements}")
    return Dataset(path.name, hashlib.sha256(content).hexdigest(), x, y, quantized)


def _read_npz(path: Path, name: str) -> tuple[Any, Any, bool]:
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:  # before NumPy unpacks what may be a bomb
            total = sum(entry.file_size for entry in archive.infolist())
        if total > MAX_BYTES:
            raise InputFileError(f"{name}: {total:,} bytes unpacked; data sets may have up to {MAX_BYTES:,}")
        with np.load(path, allow_pickle=False) as arrays:  # a pickle could run anything
            found = {key: arrays[key] for key in ("x", "x_q", "y") if key in arrays}
            there = ", ".join(ascii(key)[1:-1][:20] for key in list(arrays)[:8])
    except InputFileError:
        raise
    except Exception as error:  # NumPy and zipfile raise nearly everything on a damaged file
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputFileError(f"{name}: not a usable .npz: {ascii(why)[1:-1]}; write it with numpy.savez") from None
    if ("x" in found) == ("x_q" in found):
        raise InputFileError(f"{name}: needs one array, x (real values) or x_q (int8 values); it has: {there or '-'}")
    quantized = "x_q" in found
    x, y = found["x_q" if quantized else "x"], found.get("y")
    if x.ndim < 1 or x.dtype.kind not in "iufb":
        raise InputFileError(f"{name}: {'x_q' if quantized else 'x'} must be numbers of shape [N, ...]")
    if quantized:
        if x.dtype.kind not in "iu" or (x.size and (x.min() < -128 or x.max() > 127)):
            raise InputFileError(f"{name}: x_q must be integers from -128 to 127; real values go into x")
        return x.astype(np.int8), _labels(y, len(x), name), True
    finite = np.abs(x.astype(np.float64)) <= _FLOAT32_MAX
    if not finite.all():
        sample = int(np.argwhere(~finite)[0][0])
        raise InputFileError(f"{name}: x: sample {sample} holds a value that is no finite float32")
    return x.astype(np.float32), _labels(y, len(x), name), False


def _labels(y: Any, samples: int, name: str) -> Any:
    import numpy as np

    if y is None:
        return None
    if y.ndim < 1 or len(y) != samples or y.dtype.kind not in "iufb":
        raise InputFileError(f"{name}: y must be numbers, one row for each of the {samples} samples")
    y = y.reshape(samples, -1)
    if not np.isfinite(y.astype(np.float64)).all():
        raise InputFileError(f"{name}: y holds a value that is not finite")
    if y.shape[1] == 1 and (y.dtype.kind in "iub" or (y == np.rint(y)).all()):
        return y[:, 0].astype(np.int64)
    return y.astype(np.float64)


def _read_csv(content: bytes, name: str) -> tuple[Any, Any]:
    import numpy as np

    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputFileError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    reader = csv.reader(lines, strict=True)
    header: list[str] = []
    rows: list[list[float]] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip().lower() for cell in cells]
                continue
            if len(cells) != len(header):
                where = f"{name}:{reader.line_num}"
                raise InputFileError(f"{where}: {len(cells)} cells where the header has {len(header)}")
            rows.append([_number(cell, f"{name}:{reader.line_num}") for cell in cells])
    except csv.Error as error:
        raise InputFileError(f"{name}:{reader.line_num}: {error}") from None
    if header and all(_is_number(cell) for cell in header):
        raise InputFileError(f"{name}:1: the first line must name the columns, such as x0,x1,label")
    answers = [index for index, title in enumerate(header) if title in LABEL_COLUMNS]
    if len(answers) > 1:
        raise InputFileError(f"{name}:1: two columns of answers; name one of them y or label")
    table = np.array(rows, np.float64).reshape(len(rows), len(header))
    y = _labels(table[:, answers], len(table), name) if answers and rows else None
    return np.delete(table, answers, axis=1).astype(np.float32), y


def _number(cell: str, where: str) -> float:
    if not _is_number(cell) or not math.isfinite(value := float(cell)) or abs(value) > _FLOAT32_MAX:
        raise InputFileError(f"{where}: {cell[:40]!a} is not a finite number")
    return value


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
