# SPDX-License-Identifier: Apache-2.0
"""What `--model` can mean: the name of a build, or a file or folder with a model that somebody brought."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import InputFileError
from tinyproof.core.paths import CURRENT_FILE

MAX_BYTES = 256 << 20  # of a .keras file or a SavedModel; no microcontroller's model comes near
SUFFIXES = {".tflite": "tflite", ".keras": "keras", ".h5": "keras", ".hdf5": "keras"}
FOREIGN_SUFFIXES = {".onnx", ".pb", ".pt", ".pth"}  # models, but no builds' names


@dataclass(frozen=True)
class ModelFile:
    """`kind`: "tflite", "keras" or "savedmodel". `name`: of the build that it becomes."""

    path: Path
    kind: str
    name: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's own name, for messages."""
        return self.path.name


def find_model_file(text: str) -> ModelFile | None:
    """None when `text` is a plain name, to be looked for in build/.

    Raises InputFileError for a path that leads to no model.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    kind = SUFFIXES.get(suffix, "")
    is_file = suffix in FOREIGN_SUFFIXES or (suffix != "" and path.is_file())
    is_path = os.sep in text or (os.altsep or os.sep) in text  # Windows takes both
    if not kind and not is_file and not is_path and not (path / "saved_model.pb").is_file():
        return None
    if not path.exists():
        raise InputFileError(
            f"{text}: no such file; give a .tflite, a .keras, an .h5 or a SavedModel folder, or a build's name"
        )
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise InputFileError(f"{text}: a folder without saved_model.pb is no SavedModel")
        kind = "savedmodel"
    elif not path.is_file():
        raise InputFileError(f"{text}: not a regular file; copy what it holds into one")
    elif not kind:
        raise InputFileError(
            f"{text}: not a model that tinyproof reads: give a .tflite, a .keras (model.save('model.keras')), an .h5 "
            "or a SavedModel folder"
        )
    return ModelFile(path, kind, build_name(path.resolve().name if path.is_dir() else path.stem), _hash(path))


def build_name(stem: str) -> str:
    """The file's stem, with '_' for whatever a build folder cannot be called."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", stem)[:64]
    return name if re.match(r"[A-Za-z0-9_]", name) and name != CURRENT_FILE.name else f"_{name}"[:64]


def _hash(path: Path) -> str:
    """SHA-256 of the file; of a folder, over the names and contents of all its files in order."""
    try:
        files = [path] if path.is_file() else sorted(entry for entry in path.rglob("*") if entry.is_file())
        total = sum(entry.stat().st_size for entry in files)
        if total > MAX_BYTES:
            raise InputFileError(f"{path}: {total:,} bytes; tinyproof reads models up to {MAX_BYTES:,}")
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
        digest = hashlib.sha256()
        for entry in files:
            digest.update(f"{entry.relative_to(path).as_posix()}\0{entry.stat().st_size}\0".encode())
            digest.update(entry.read_bytes())
        return digest.hexdigest()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}") from None
