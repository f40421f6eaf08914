# SPDX-License-Identifier: Apache-2.0
"""Two builds side by side, or two git revisions of a model's file: bits, sizes, instructions and accuracy.

What a build's records hold is taken from there (build.json, check.json, dataset.json); what they lack is measured.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.builds import Wanted, hold_folder, import_file, needs_build
from tinyproof.checking import check_and_locate, check_samples
from tinyproof.core import paths
from tinyproof.core.board_spec import Board
from tinyproof.core.build_record import BuildRecord, read_build_record
from tinyproof.core.config import Config
from tinyproof.core.data_set import DataForm, hash_data
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import FILE as MANIFEST
from tinyproof.core.manifest import read_manifest
from tinyproof.core.model_file import find_model_file

Record = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What may grow by how many percent of the old figure; `accuracy_loss` in percentage points, for a real answer's
    RMSE in percent. Bits may not differ at all."""

    flash: float = 1.0
    ram: float = 1.0
    ticks: float = 1.0
    accuracy_loss: float = 1.0


@dataclass(frozen=True)
class Measured:
    """A build on a board. Bytes are those of the engine and the model; `ticks`: most that one inference took.
    `accuracy`: share of labels that came out right, `rmse` of real answers; both None where no samples were asked."""

    name: str
    model_id: str
    model_bytes: int
    bits_checked: int
    bits_different: int
    flash_bytes: int
    ram_bytes: int
    ticks: int
    tick_unit: str
    accuracy: float | None = None
    rmse: float | None = None


@dataclass(frozen=True)
class Compared:
    """One figure of both: `change` in percent of the old one, in percentage points for accuracy, None where that says
    nothing. `limit` likewise; None where no limit is set. `regressed`: by more than that."""

    figure: str
    old: float
    new: float
    change: float | None
    limit: float | None
    regressed: bool


def compare(old: Measured, new: Measured, limits: Limits) -> list[Compared]:
    """Each figure that both have. Raises UsageError where the two were not measured alike."""
    if old.tick_unit != new.tick_unit:
        raise UsageError(f"{old.name} was measured in {old.tick_unit}, {new.name} in {new.tick_unit}")
    rows = [
        Compared("bits different", old.bits_different, new.bits_different, None, 0, new.bits_different > 0),
        _grown("model.tflite B", old.model_bytes, new.model_bytes, None),
        _grown("flash B", old.flash_bytes, new.flash_bytes, limits.flash),
        _grown("RAM B", old.ram_bytes, new.ram_bytes, limits.ram),
        _grown(old.tick_unit, old.ticks, new.ticks, limits.ticks),
    ]
    if old.accuracy is not None and new.accuracy is not None:
        points = round(100 * (new.accuracy - old.accuracy), 6)
        lost = -points > limits.accuracy_loss
        rows.append(Compared("accuracy", old.accuracy, new.accuracy, points, limits.accuracy_loss, lost))
    if old.rmse is not None and new.rmse is not None:
        rows.append(_grown("RMSE", old.rmse, new.rmse, limits.accuracy_loss))
    return rows


def _grown(figure: str, old: float, new: float, limit: float | None) -> Compared:
    change = 100 * (new - old) / old if old else None
    grown = limit is not None and new > old * (1 + limit / 100)
    return Compared(figure, old, new, change, limit, grown)


def find_build(text: str) -> Path:
    """The folder of a build, by its path or its name. Raises UsageError where there is none."""
    for folder in (Path(text), *([paths.build_dir(text)] if "/" not in text and "\\" not in text else [])):
        if (folder / MANIFEST).is_file():
            return folder
    raise UsageError(
        f"{text} is no build: give a folder with a {MANIFEST}, or a build's name; for git revisions, --model FILE"
    )


def build_of_revision(config: Config, file: Path, revision: str, role: str, calibration: Path | None) -> Path:
    """The build of `file` as it is in git's `revision`, build/compare-<role>/.

    Raises UsageError where git does not know it, InputFileError for a model that cannot be used.
    """
    if file.is_dir() or not file.suffix:
        raise UsageError(f"{file}: revisions are compared of one file, a .tflite, a .keras or an .h5")
    shown = f"{revision}:./{file.name}"
    try:
        done = subprocess.run(
            ["git", "show", "--end-of-options", shown], cwd=file.absolute().parent, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise UsageError(f"revisions of {file} need git, and a folder that is there") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["git show failed"]
        raise UsageError(f"{shown}: {lines[0].removeprefix('fatal: ')}")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / f"compare-{role}{file.suffix}"
        copy.write_bytes(done.stdout)
        found = find_model_file(str(copy))
        if found is None:
            raise InputFileError(f"{file}: not a model that tinyproof reads")
        import_file(config, found, Wanted(calibration, name=found.name))  # of whatever it was before
    return paths.build_dir(found.name)


def measure_both(
    names: tuple[str, str],
    folders: tuple[Path, Path],
    board: Board,
    config: Config,
    dataset: Path | None,
    limit: int | None,
    remark: Callable[[str], None],
    form: DataForm | None = None,
) -> tuple[Measured, Measured]:
    """The builds in `folders` on `board`, called `names`; with an accuracy only where both were asked the same samples:
    the first `limit` of `dataset`, or what their records hold. `remark` gets a sentence for what is measured anew, and
    where a build is in use. `form`: of the samples; one that says anything has them asked anew, for no record does."""
    sides = []
    for name, folder in zip(names, folders, strict=True):
        with hold_folder(folder, remark=remark):
            sides.append(_measure(name, folder, board, config, dataset, limit, remark, form or DataForm()))
    old, new = sides
    if dataset is None and not _same_samples(folders, board):
        return (
            dataclasses.replace(old, accuracy=None, rmse=None),
            dataclasses.replace(new, accuracy=None, rmse=None),
        )
    return old, new


def _measure(
    name: str,
    folder: Path,
    board: Board,
    config: Config,
    dataset: Path | None,
    limit: int | None,
    remark: Callable[[str], None],
    form: DataForm,
) -> Measured:
    manifest = read_manifest(folder)
    where = folder / "boards" / board.name
    built, fresh = _built(folder, board, remark)
    checked = None if fresh else _record(where / "check.json", manifest.model_id)
    if checked is None:
        remark(f"{name}: checks {board.name}")
        checked = check_and_locate(board, folder, None, config.check, None, lambda: None).as_dict()
    samples = None if fresh else _record(where / "dataset.json", manifest.model_id)
    if dataset is not None and (form != DataForm() or not _is_of(samples, dataset, limit)):
        remark(f"{name}: asks {board.name} the samples of {dataset.name}")
        found = check_samples(
            *(board, folder, None, config.check, dataset, limit, None, lambda: None),
            remark=lambda words: None,
            form=form,
        )
        samples = found.as_dict()
    accuracy = (samples or {}).get("accuracy") or {}
    return Measured(
        *(name, manifest.model_id, (folder / "model.tflite").stat().st_size),
        bits_checked=int(checked["bits_checked"]),
        bits_different=int(checked["bits_different"]),
        flash_bytes=built.engine_flash_bytes,
        ram_bytes=built.engine_ram_bytes,
        ticks=int(checked["ticks_max"]),
        tick_unit=str(checked["tick_unit"]),
        accuracy=accuracy.get("share"),
        rmse=accuracy.get("rmse"),
    )


def _same_samples(folders: tuple[Path, Path], board: Board) -> bool:
    """Whether the data sets recorded in two builds are one: accuracies of different samples say nothing."""
    found = [_record(folder / "boards" / board.name / "dataset.json", None) for folder in folders]
    keys = [(one["sha256"], one["samples"]) for one in found if one is not None]
    return len(keys) == 2 and keys[0] == keys[1]


def _built(folder: Path, board: Board, remark: Callable[[str], None]) -> tuple[BuildRecord, bool]:
    """And whether it was built just now: then what was asked of an earlier firmware says nothing."""
    from tinyproof.firmware.platformio_build import build

    record = None if needs_build(board, folder) else read_build_record(folder / "boards" / board.name)
    if record is not None:
        return record, False
    remark(f"{folder.name}: builds {board.name}")
    return build(board, folder), True


def _record(path: Path, model_id: str | None) -> Record | None:
    """A report as it was written; None where there is none of this model."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        of_samples = ("model_id", "sha256", "samples", "samples_in_file")
        needed = of_samples if path.name == "dataset.json" else ("bits_checked", "ticks_max")
        known = all(key in document for key in needed)
    except (OSError, ValueError, TypeError):
        return None
    return document if known and model_id in (None, document["model_id"]) else None


def _is_of(record: Record | None, dataset: Path, limit: int | None) -> bool:
    if record is None or record["sha256"] != hash_data(dataset):
        return False
    whole = record["samples_in_file"]
    return bool(record["samples"] == (whole if limit is None else min(limit, whole)))
