# SPDX-License-Identifier: Apache-2.0
"""Samples that a user brings, to calibrate a model or to ask a board: .npz or .csv, neither of them trusted.

.npz   array `x` [N, ...] in real values, or `x_q` [N, ...] as the integers themselves; `y` optional: class numbers [N],
       or real answers [N, outputs]. A model of several inputs has an array for each, of the input's name (or NAME_q)
.csv   a header; the column `y` or `label` is the answer, every other column one element of the inputs, in order

A sample may be a sequence of frames where the model has state: x [N, frames, ...], or as many values as frames have in
a row, such as the samples of a sound.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinyproof.core.errors import InputFileError
from tinyproof.core.escaping import escaped, reason

MAX_BYTES = 1 << 30  # of the file, and of its arrays unpacked
LABEL_COLUMNS = ("y", "label")
_FLOAT32_MAX = 3.4028234663852886e38


class Input(Protocol):
    """An input of a model: a tensor of its file, or as the manifest has it."""

    @property
    def name(self) -> str:
        """As the file has it."""

    @property
    def dtype(self) -> str:
        """Of an element."""

    @property
    def elements(self) -> int:
        """Values in one sample."""


@dataclass(frozen=True)
class Dataset:
    """`x`: [N * frames, elements of all inputs], float32, or int64 where `quantized`: a sample is `frames` rows. `y`:
    None, int64 [N] or float64 [N, outputs]."""

    file: str
    sha256: str
    x: Any
    y: Any
    quantized: bool = False
    frames: int = 1

    def __len__(self) -> int:
        return len(self.x) // self.frames


def input_names(names: Sequence[str]) -> list[str]:
    """What the arrays of a .npz are called: "x" for a model of one input, otherwise the inputs' own names, without what
    TensorFlow puts around them; x0, x1, ... where those are not apart."""
    if len(names) == 1:
        return ["x"]
    found = [plain_name(name) for name in names]
    if len({*found, "x", "y"}) != len(found) + 2:
        return [f"x{index}" for index in range(len(names))]
    return found


def plain_name(name: str) -> str:
    """`name` in the characters that TensorFlow takes in one, without what it adds to an input's."""
    name = re.sub(r"[^A-Za-z0-9_.]", "_", name.removeprefix("serving_default_").removesuffix(":0"))
    return name if re.match(r"[A-Za-z0-9]", name) else f"x{name}"


def read_dataset(path: Path, inputs: Sequence[Input], *, sequences: bool = False) -> Dataset:
    """Reads samples for a model of these inputs, each a number of frames where `sequences` may be. Raises
    InputFileError naming the file, the array or the line."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputFileError(f"{path.name}: {size:,} bytes; data sets may have up to {MAX_BYTES:,}")
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give a .npz or .csv file") from None
    suffix = path.suffix.lower()
    if suffix == ".npz":
        x, y, quantized, frames = _read_npz(path, path.name, inputs, sequences=sequences)
    elif suffix == ".csv":
        (x, y), quantized = _read_csv(content, path.name), False
        elements = sum(end.elements for end in inputs)
        x, frames = _rows(x, elements, path.name, "the model takes", sequences=sequences)
    else:
        raise InputFileError(f"{path.name}: a data set is a .npz or a .csv file")
    return Dataset(path.name, hashlib.sha256(content).hexdigest(), x, y, quantized, frames)


def _read_npz(path: Path, name: str, inputs: Sequence[Input], *, sequences: bool) -> tuple[Any, Any, bool, int]:
    import numpy as np

    names = input_names([end.name for end in inputs])
    try:
        with zipfile.ZipFile(path) as archive:  # before NumPy unpacks what may be a bomb
            total = sum(entry.file_size for entry in archive.infolist())
        if total > MAX_BYTES:
            raise InputFileError(f"{name}: {total:,} bytes unpacked; data sets may have up to {MAX_BYTES:,}")
        with np.load(path, allow_pickle=False) as arrays:  # a pickle could run anything
            keys = {plain_name(key): key for key in arrays}
            wanted = [key for each in names for key in (each, f"{each}_q")]
            found = {key: arrays[keys[key]] for key in (*wanted, "y") if key in keys}
            there = ", ".join(escaped(key)[:20] for key in list(arrays)[:8])
    except InputFileError:
        raise
    except Exception as error:  # NumPy and zipfile raise nearly everything on a damaged file
        raise InputFileError(f"{name}: not a usable .npz: {reason(error)}; write it with numpy.savez") from None
    reals = [each in found for each in names]
    integers = [f"{each}_q" in found for each in names]
    if not (all(reals) and not any(integers)) and not (all(integers) and not any(reals)):
        kinds = f"{', '.join(names)} (real values) or {', '.join(f'{each}_q' for each in names)} (integers)"
        count = "one array" if len(names) == 1 else f"{len(names)} arrays"
        raise InputFileError(f"{name}: needs {count}, {kinds}; it has: {there or '-'}")
    read = _integers if all(integers) else _reals
    parts, lengths = [], set()
    for each, end in zip(names, inputs, strict=True):
        key = f"{each}_q" if all(integers) else each
        x = found[key]
        if x.ndim < 1 or x.dtype.kind not in "iufb":
            raise InputFileError(f"{name}: {key} must be numbers of shape [N, ...]")
        where, takes = (name, "the model takes") if len(names) == 1 else (f"{name}: {key}", "this input takes")
        part, frames = _rows(read(x, key, end, name), end.elements, where, takes, sequences=sequences)
        parts.append(part)
        lengths.add((len(part) // frames, frames))
    if len(lengths) != 1:
        counts = ", ".join(f"{each} {len(part)}" for each, part in zip(names, parts, strict=True))
        raise InputFileError(f"{name}: every array needs the same number of samples; there are: {counts}")
    ((samples, frames),) = lengths
    return np.concatenate(parts, axis=1), _labels(found.get("y"), samples, name), all(integers), frames


def _rows(x: Any, elements: int, where: str, takes: str, *, sequences: bool) -> tuple[Any, int]:
    """`x` with a row of `elements` values for each frame, and how many frames a sample has."""
    if not len(x):
        raise InputFileError(f"{where}: it holds no samples")
    values = x.reshape(len(x), -1).shape[1]
    if sequences and values and values % elements == 0:
        return x.reshape(-1, elements), values // elements
    if values != elements:
        some = " or a whole number of such frames" if sequences else ""
        raise InputFileError(f"{where}: {values} values in each sample, {takes} {elements}{some}")
    return x.reshape(-1, elements), 1


def _integers(x: Any, key: str, end: Input, name: str) -> Any:
    import numpy as np

    bounds = None if end.dtype == "bool" else np.iinfo(end.dtype)
    low, high = (0, 1) if bounds is None else (int(bounds.min), int(bounds.max))
    if x.dtype.kind not in "iu" or (x.size and (x.min() < low or x.max() > high)):
        raise InputFileError(f"{name}: {key} must be integers from {low} to {high}; real values go into {key[:-2]}")
    return x.astype(np.int64)


def _reals(x: Any, key: str, end: Input, name: str) -> Any:
    import numpy as np

    finite = np.abs(x.astype(np.float64)) <= _FLOAT32_MAX
    if not finite.all():
        sample = int(np.argwhere(~finite)[0][0])
        raise InputFileError(f"{name}: {key}: sample {sample} holds a value that is no finite float32")
    return x.astype(np.float32)


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
