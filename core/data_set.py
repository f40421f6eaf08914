# SPDX-License-Identifier: Apache-2.0
"""Samples that a user brings, to calibrate a model or to ask a board; none of them trusted.

.npz    array `x` [N, ...] in real values, or `x_q` [N, ...] as the integers themselves; `y` optional: class numbers [N]
        or names [N], or real answers [N, outputs]. A model of several inputs has an array for each, of its name (or
        NAME_q)
.npy    the array x alone
.csv    one column for each element of the inputs, in order, and one for the answer (core/data_csv.py)
folder  images or .wav files, as they are or in a folder for each class (core/data_folder.py)

A sample may be a sequence of frames where the model has state: x [N, frames, ...], or as many values as frames have in
a row, such as the samples of a sound.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinyproof.core.data_csv import FLOAT32_MAX, read_number, read_table
from tinyproof.core.data_folder import hash_folder, list_files, read_samples
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.escaping import escaped, reason
from tinyproof.core.files import file_bytes

MAX_BYTES = 1 << 30  # of the file, and of its arrays unpacked
WAYS = "a .npz, .npy or .csv file, or a folder of images or .wav files"


class Input(Protocol):
    """An input of a model: a tensor of its file, or as the manifest has it."""

    @property
    def name(self) -> str:
        """As the file has it."""

    @property
    def dtype(self) -> str:
        """Of an element."""

    @property
    def shape(self) -> Sequence[int]:
        """With or without its batch."""

    @property
    def elements(self) -> int:
        """Values in one sample."""


@dataclass(frozen=True)
class DataForm:
    """What a file does not say of its samples. `classes`: names of the model's outputs, in their order. `values`: the
    real values of black and white pixels, or of a sound's lowest and highest sample. `labels`: whether they are read
    at all."""

    classes: tuple[str, ...] = ()
    values: tuple[float, float] | None = None
    labels: bool = True


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


def read_dataset(
    path: Path, inputs: Sequence[Input], *, sequences: bool = False, form: DataForm | None = None
) -> Dataset:
    """Reads samples for a model of these inputs, each a number of frames where `sequences` may be. Raises
    InputFileError naming the file, the array or the line."""
    form = form or DataForm()
    if path.is_dir():
        return _read_folder(path, inputs, form, sequences=sequences)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _read_csv(path, inputs, form, sequences=sequences)
    digest = hash_data(path)
    if suffix not in (".npz", ".npy"):
        raise InputFileError(f"{path.name}: a data set is {WAYS}")
    arrays = _load_npz(path, _wanted(inputs, form)) if suffix == ".npz" else {"x": _load_npy(path)}
    x, y, quantized, frames = _take(arrays, path.name, inputs, form, sequences=sequences)
    return Dataset(path.name, digest, x, y, quantized, frames)


def hash_data(path: Path) -> str:
    """SHA-256 of a file, or over the samples in a folder. Raises InputFileError where there is none, or it is large."""
    try:
        if path.is_dir():
            return hash_folder(path, list_files(path, ())[0])
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give {WAYS}") from None
    return hashlib.sha256(_content(path)).hexdigest()


def _content(path: Path) -> bytes:
    try:
        size = file_bytes(path)
        if size > MAX_BYTES:
            raise InputFileError(f"{path.name}: {size:,} bytes; data sets may have up to {MAX_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give {WAYS}") from None


def _read_folder(path: Path, inputs: Sequence[Input], form: DataForm, *, sequences: bool) -> Dataset:
    import numpy as np

    name = path.resolve().name
    if len(inputs) != 1:
        raise InputFileError(f"{path}: the model takes {len(inputs)} inputs: give a .npz with an array for each")
    try:
        files, numbers = list_files(path, form.classes)
        x = read_samples(path, files, inputs[0].shape, form.values, sequences=sequences)
        digest = hash_folder(path, files)
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}") from None
    x, frames = _rows(x, inputs[0].elements, name, "the model takes", sequences=sequences)
    y = None if numbers is None or not form.labels else np.array(numbers, np.int64)
    return Dataset(name, digest, x, y, frames=frames)


def _read_csv(path: Path, inputs: Sequence[Input], form: DataForm, *, sequences: bool) -> Dataset:
    import numpy as np

    content = _content(path)
    elements = sum(end.elements for end in inputs)
    table = read_table(content, path.name, elements, sequences=sequences)
    x = np.array(table.x, np.float64).reshape(len(table.x), -1 if table.x else 0).astype(np.float32)
    y = None
    if table.answers is not None and form.labels and len(x):
        y = _labels(np.array(table.answers), len(x), path.name, form.classes, table.lines)
    x, frames = _rows(x, elements, path.name, "the model takes", sequences=sequences)
    return Dataset(path.name, hashlib.sha256(content).hexdigest(), x, y, frames=frames)


def _wanted(inputs: Sequence[Input], form: DataForm) -> list[str]:
    """Arrays that are read where a .npz has them."""
    reals = input_names([end.name for end in inputs])
    return [*reals, *(f"{name}_q" for name in reals), *(["y"] if form.labels else [])]


def _load_npz(path: Path, wanted: Sequence[str]) -> dict[str, Any]:
    """All that it holds by name; None in place of arrays that nobody wants, which may be of any kind."""
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:  # before NumPy unpacks what may be a bomb
            total = sum(entry.file_size for entry in archive.infolist())
        if total > MAX_BYTES:
            raise InputFileError(f"{path.name}: {total:,} bytes unpacked; data sets may have up to {MAX_BYTES:,}")
        with np.load(path, allow_pickle=False) as arrays:  # a pickle could run anything
            found = {key: arrays[key] if plain_name(key) in wanted else None for key in arrays}
        for key, array in found.items():
            if isinstance(array, bytes):  # a member of the archive that is no .npy comes as it is
                raise InputFileError(f"{path.name}: {escaped(key)[:20]} is no array; write it with numpy.savez")
        return found
    except InputFileError:
        raise
    except Exception as error:  # NumPy and zipfile raise nearly everything on a damaged file
        raise InputFileError(f"{path.name}: not a usable .npz: {reason(error)}; write it with numpy.savez") from None


def _load_npy(path: Path) -> Any:
    import numpy as np

    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a header may claim any size
    except Exception as error:  # as above
        raise InputFileError(f"{path.name}: not a usable .npy: {reason(error)}; write it with numpy.save") from None


def _take(
    arrays: dict[str, Any], name: str, inputs: Sequence[Input], form: DataForm, *, sequences: bool
) -> tuple[Any, Any, bool, int]:
    """(x, y, whether x is integers, frames of a sample) from the arrays of a file called `name`."""
    import numpy as np

    names = input_names([end.name for end in inputs])
    keys = {plain_name(key): key for key in arrays}
    found = {key: arrays[keys[key]] for key in _wanted(inputs, form) if key in keys}
    there = ", ".join(escaped(key)[:20] for key in list(arrays)[:8])
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
    y = _labels(found.get("y"), samples, name, form.classes) if form.labels else None
    return np.concatenate(parts, axis=1), y, all(integers), frames


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

    finite = np.abs(x.astype(np.float64)) <= FLOAT32_MAX
    if not finite.all():
        sample = int(np.argwhere(~finite)[0][0])
        raise InputFileError(f"{name}: {key}: sample {sample} holds a value that is no finite float32")
    return x.astype(np.float32)


def _labels(y: Any, samples: int, name: str, classes: Sequence[str], lines: Sequence[int] = ()) -> Any:
    import numpy as np

    if y is None:
        return None
    if y.ndim >= 1 and y.dtype.kind in "US" and y.size == samples:
        places = [f"{name}:{line}" for line in lines] or [f"{name}: y: sample {index}" for index in range(samples)]
        y = _numbers_of(y.reshape(-1).astype(str).tolist(), name, classes, places)
    if y.ndim < 1 or len(y) != samples or y.dtype.kind not in "iufb":
        raise InputFileError(f"{name}: y must be numbers or names, one row for each of the {samples} samples")
    y = y.reshape(samples, -1)
    if not np.isfinite(y.astype(np.float64)).all():
        raise InputFileError(f"{name}: y holds a value that is not finite")
    if y.shape[1] == 1 and (y.dtype.kind in "iub" or (y == np.rint(y)).all()):
        return y[:, 0].astype(np.int64)
    return y.astype(np.float64)


def _numbers_of(words: Sequence[str], name: str, classes: Sequence[str], places: Sequence[str]) -> Any:
    """Answers that came as text: indices of names among `classes`, or numbers. `places`: where each stands."""
    import numpy as np

    if classes and all(word in classes for word in words):
        return np.array([classes.index(word) for word in words], np.int64)
    if not any(_is_word(word) for word in words):
        return np.array([read_number(word, place) for word, place in zip(words, places, strict=True)])
    if not classes:
        some = sorted({escaped(word)[:20] for word in words})
        shown = ",".join(some[:4]) + (",..." if len(some) > 4 else "")
        raise InputFileError(f"{name}: the answers are words: give --classes in the order of the outputs ({shown})")
    word = next(word for word in words if word not in classes)
    raise InputFileError(f"{name}: the answer {escaped(word)[:40]!r} is none of --classes {','.join(classes)}")


def _is_word(text: str) -> bool:
    """Whether it is a name, and no number of any spelling or size."""
    try:
        float(text)
    except ValueError:
        return True
    return False


def read_classes(text: str) -> tuple[str, ...]:
    """The names in --classes: between commas, or in a text file with one a line. Raises UsageError for a name that
    comes twice or is empty, InputFileError for a file that is no text."""
    path = Path(text)
    in_file = _is_file(path)
    try:
        names = path.read_text(encoding="utf-8-sig").split("\n") if in_file else text.split(",")
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path}: {reason(error)}; a file of classes has one name a line") from None
    classes = tuple(name.strip() for name in names)
    if in_file:
        classes = tuple(name for name in classes if name)
    if not all(classes) or len(set(classes)) != len(classes):
        raise UsageError(f"--classes {text}: each class needs a name of its own")
    return classes


def _is_file(path: Path) -> bool:
    """Also of what no path can be, such as a long list of names."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
