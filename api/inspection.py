# SPDX-License-Identifier: Apache-2.0
"""What a model is made of and where it fits, of a build or of a file that is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.builds import Wanted, import_file
from tinyproof.core import paths
from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.config import Config
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.model_file import find_model_file


def boards_to_judge() -> list[Board]:
    """All that firmware with the compiled engine is built for."""
    return [board for board in all_boards().values() if board.engine == "compiled" and not board.hidden]


def run_inspect(config: Config, model: str, boards: list[Board], wanted: Wanted) -> dict[str, Any]:
    """The document of `inspect_model`; of a model that is refused what it holds, and the reason as `refused`.

    Raises UsageError where a build has no model yet, InputFileError for a file that cannot even be read.
    """
    from tinyproof.core.tflite.reader import read_file
    from tinyproof.export.footprint import inspect_model

    found = find_model_file(model)
    if found is not None and found.kind == "tflite":
        tflite = read_file(found.path)
        given = wanted.calibration is not None or (wanted.low is not None and wanted.high is not None)
        if not given or _is_quantized(tflite, found.file):
            return _as_it_is(tflite, found.file, boards, paths.build_dir(found.name))
    name = model
    if found is not None:
        name = import_file(config, found, wanted, again=False)[0].model
    folder = paths.build_dir(name)
    if not (folder / "model.tflite").is_file():
        raise UsageError(f"{paths.shown(folder)} has no model.tflite; run ./tinyproof export first, or give a file")
    return inspect_model(read_file(folder / "model.tflite"), paths.shown(folder / "model.tflite"), boards, folder)


def _is_quantized(tflite: bytes, file: str) -> bool:
    from tinyproof.core.tflite.reader import read_graph
    from tinyproof.export.brought_file import is_float

    return not is_float(read_graph(tflite, file))


def _as_it_is(tflite: bytes, file: str, boards: list[Board], build_dir: Path) -> dict[str, Any]:
    """The inspection of a .tflite; of one that is refused, what it holds, and the reason."""
    from tinyproof.core.tflite.reader import read_graph
    from tinyproof.export.brought_file import explain, is_float
    from tinyproof.export.footprint import inspect_model, list_model

    try:
        return inspect_model(tflite, file, boards, build_dir)
    except InputFileError as error:
        listed = list_model(tflite, file)
        graph = read_graph(tflite, file)
        try:
            reason = explain(error, graph, (), quantized_here=False).message
            if is_float(graph):
                reason = f"{file}: a float model: give --calibration, and it is quantized first"
        except InputFileError as storage:
            reason = storage.message
        return {**listed, "refused": reason}
