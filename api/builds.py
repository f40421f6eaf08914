# SPDX-License-Identifier: Apache-2.0
"""Builds by the name or the file that a model is given as: what is imported, exported and compiled to get one."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.core import paths
from tinyproof.core.board_spec import Board, all_boards, find_board
from tinyproof.core.build_lock import locked
from tinyproof.core.build_record import fault_of_firmware
from tinyproof.core.config import Config
from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.core.model_file import ModelFile, find_model_file

if TYPE_CHECKING:
    from tinyproof.firmware.platformio_build import BuildResult


Remark = Callable[[str], None]  # gets a sentence for a person, about something that is no error


def silent(words: str) -> None:
    """For programs, which no remark concerns."""


@contextlib.contextmanager
def hold(model: str, *, shared: bool = False, makes: bool = False, remark: Remark = silent) -> Iterator[None]:
    """Keeps other runs from build/<model>, or waits for one that has it. `shared`: beside others that only read it.
    `makes`: the build may be new; otherwise nothing is left behind where there is none."""
    folder = paths.build_dir(model)
    if not makes and not folder.is_dir():
        yield
        return
    with hold_folder(folder, shared=shared, remark=remark):
        yield


@contextlib.contextmanager
def hold_folder(folder: Path, *, shared: bool = False, remark: Remark = silent) -> Iterator[None]:
    """`hold`, of a build wherever it lies."""

    def waits() -> None:
        remark(f"{paths.shown(folder)} is in use by another tinyproof; waiting for it")

    with locked(folder, shared=shared, waits=waits):
        yield


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the options say of how to quantize a float model, and of its build's name; None where one is left out."""

    calibration: Path | None = None
    low: float | None = None
    high: float | None = None
    activations: str | None = None
    name: str | None = None
    values: tuple[float, float] | None = None


def find_brought(model: str | None, wanted: Wanted) -> ModelFile | None:
    """The file that --model names, None where it names a build. Raises UsageError where an option wants a file."""
    found = find_model_file(model) if model else None
    quantizing = {
        "--calibration": wanted.calibration,
        "--activations": wanted.activations,
        "--values": wanted.values,
    }
    for option, value in quantizing.items():
        if found is None and value is not None:
            raise UsageError(f"{option} quantizes a file: name it with --model FILE")
    if wanted.name is None:
        return found
    if found is None:
        raise UsageError("--name is for the build of a file: name that with --model FILE")
    paths.build_dir(wanted.name)
    return dataclasses.replace(found, name=wanted.name)


def import_file(
    config: Config,
    found: ModelFile,
    wanted: Wanted,
    *,
    again: bool = True,
    keep_dead: bool = False,
    ram: str = "",
    remark: Remark = silent,
) -> tuple[Config, Manifest]:
    """(config for its build, manifest) of a file with a model.

    Makes the build the current one. `again`: even if the build holds that file already. `keep_dead`: as in
    lowering.lower; `ram`: as in schedules.schedule.
    """
    from tinyproof.export.calibration import Calibration
    from tinyproof.export.import_model import import_model, is_current, other_origin

    config = dataclasses.replace(config, model=found.name)
    folder = paths.build_dir(found.name)
    asked = Calibration(
        wanted.calibration, wanted.low, wanted.high, config.export.seed, wanted.activations, wanted.values
    )
    with hold(found.name, makes=True, remark=remark):
        if not again and is_current(found, folder, asked):
            manifest = read_manifest(folder)
        else:
            if (other := other_origin(found, folder)) is not None and (wanted.name or not other.exists()):
                remark(f"{paths.shown(folder)} held the model of {other}, and is replaced")
            replace = wanted.name is not None
            manifest = import_model(found, folder, asked, keep_dead=keep_dead, ram=ram, replace=replace)
    paths.CURRENT_FILE.parent.mkdir(parents=True, exist_ok=True)
    write_at_once(paths.CURRENT_FILE, f"{found.name}\n")
    return config, manifest


def was_imported(config: Config) -> bool:
    """Whether build/<config.model> is a model that was brought: it has nothing to train."""
    from tinyproof.core.manifest import FILE

    folder = paths.build_dir(config.model)
    return (folder / FILE).is_file() and read_manifest(folder).source is not None


def check_new_name(name: str) -> None:
    """Before the lesson is trained as build/<name>. Raises UsageError where that looks like the misspelt name of a
    model that was brought: a neuron would be proven in its place."""
    from tinyproof.core.manifest import FILE

    if paths.build_dir(name).exists():
        return
    brought = []
    for path in paths.BUILD.glob(f"*/{FILE}"):
        with contextlib.suppress(UsageError):  # a damaged build is a matter for whoever asks for it
            if read_manifest(path.parent).source is not None:
                brought.append(path.parent.name)
    close = difflib.get_close_matches(name, brought, n=1)
    if close:
        raise UsageError(
            f"no build {name!r}; did you mean {close[0]}? (to train the lesson's neuron under this name: "
            f"./tinyproof train --model {name})"
        )


def select_model(config: Config, text: str | None, remark: Remark = silent) -> Config:
    """`config` for --model: a file is imported first, unless its build is there already."""
    if text is None:
        return config
    found = find_model_file(text)
    if found is None:
        return dataclasses.replace(config, model=text)
    return import_file(config, found, Wanted(), again=False, remark=remark)[0]


def run_export(config: Config, folder: Path | None = None, *, keep_dead: bool = False, ram: str = "") -> Manifest:
    """Export build/<model>, or its copy in `folder`, and make it the current one. Raises UsageError when it is not
    trained, InputFileError."""
    build_dir = folder or paths.build_dir(config.model)
    from tinyproof.export.export import export_model
    from tinyproof.export.library_lint import library_of

    library = library_of(find_board(config.board)) if config.board in all_boards() else None
    per_tensor = library is not None and not library.dense_per_channel
    manifest = export_model(
        config.export, config.check, build_dir, dense_per_tensor=per_tensor, keep_dead=keep_dead, ram=ram
    )
    write_at_once(paths.CURRENT_FILE, f"{config.model}\n")
    return manifest


def run_build(config: Config, *, lint: bool = True, dialect: str = "") -> BuildResult:
    """Build the configured model for the configured board, unless its library is known to compute it wrongly."""
    from tinyproof.firmware.platformio_build import build

    board, folder = find_board(config.board), paths.build_dir(config.model)
    if lint:
        lint_model(board, folder)
    return build(board, folder, dialect=dialect)


def lint_model(board: Board, folder: Path) -> None:
    """Raises InputFileError where the interpreter library of `board` cannot run the model, or runs it wrongly."""
    if not board.build.library or not (folder / "model.tflite").is_file():
        return
    from tinyproof.core.tflite.reader import read_file, read_graph
    from tinyproof.export.library_lint import refuse_unfit

    refuse_unfit(read_graph(read_file(folder / "model.tflite")), board)


def needs_build(board: Board, folder: Path, dialect: str = "") -> bool:
    """Whether the board's firmware is missing, or is not what a build would make of the export that is there now."""
    try:
        return bool(fault_of_firmware(folder / "boards" / board.name / dialect, read_manifest(folder)))
    except UsageError:  # damaged, or of another release
        return True
