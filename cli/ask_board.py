# SPDX-License-Identifier: Apache-2.0
"""A board asked with progress on the terminal, and the layer found where its bits differ: what `check`, `run`, `bench`
and `canary` share."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.cli import console
from tinyproof.cli.localize import locate
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import CheckConfig, Config
from tinyproof.core.errors import TinyproofError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.core.paths import build_dir

if TYPE_CHECKING:
    from tinyproof.core.data_set import DataForm, Dataset
    from tinyproof.host.bits import Divergence, Progress
    from tinyproof.host.check_report import CheckReport, DatasetReport


def run_check(config: Config, port: str | None = None) -> CheckReport:
    """Checks config.board against build/<config.model>, showing progress on a terminal."""
    board = find_board(config.board)
    with _bar(board) as (progress, differs):
        return check_and_locate(board, build_dir(config.model), port, config.check, progress, differs)


def run_samples(
    config: Config, port: str | None, dataset: Path, limit: int | None, form: DataForm | None = None
) -> DatasetReport:
    """Asks config.board the samples of `dataset`, showing progress on a terminal."""
    from tinyproof.core.data_set import read_dataset
    from tinyproof.host.check_dataset import check_dataset, quantize_samples
    from tinyproof.host.check_report import write_report
    from tinyproof.host.session import layouts_of

    board, folder = find_board(config.board), build_dir(config.model)
    manifest = read_manifest(folder)
    x, _ = layouts_of(manifest)
    stateful = manifest.memory is not None and manifest.memory.state_bytes > 0
    samples = read_dataset(dataset, x.tensors, sequences=stateful, form=_as_calibrated(form, manifest))

    def before(divergence: Divergence) -> Sequence[bytes]:
        heard = quantize_samples(samples, x, divergence.index + 1)[0][divergence.index * samples.frames :]
        return heard[: divergence.frame or 0]

    with _bar(board) as (progress, differs):
        report = check_dataset(board, folder, port, config.check, samples, limit, progress)
        _name_layer(report, board, folder, config.check, differs, before)
    if report.accuracy and not samples.quantized and not report.sequence:
        report.float_accuracy = _float_accuracy(folder, samples, report.samples)
        write_report(report, board, folder)
    return report


def _as_calibrated(form: DataForm | None, manifest: Manifest) -> DataForm:
    """`form` with the values that the calibration's samples had, where it says none."""
    from tinyproof.core.data_set import DataForm
    from tinyproof.core.origin import FileCalibration

    form = form or DataForm()
    known = manifest.source.calibration if manifest.source is not None else None
    if form.values is None and isinstance(known, FileCalibration) and known.values is not None:
        return dataclasses.replace(form, values=(known.values[0], known.values[1]))
    return form


def _float_accuracy(folder: Path, samples: Dataset, count: int) -> dict[str, Any] | None:
    """Of the float model that was brought, on the same samples; None where there is none, or TensorFlow cannot run it.

    What the board lost by quantization is the difference: its own bits are TFLite Micro's.
    """
    import numpy as np

    from tinyproof.core.tflite.reader import read_file, read_graph
    from tinyproof.export.converter_process import float_outputs
    from tinyproof.export.import_model import FLOAT_FILE
    from tinyproof.host.check_dataset import judge_of
    from tinyproof.host.session import layouts_of

    if not (folder / FLOAT_FILE).is_file():
        return None
    try:
        tflite = read_file(folder / FLOAT_FILE)
        graph = read_graph(tflite, FLOAT_FILE)
        inputs = [graph.tensors[index] for index in graph.inputs]
        columns = np.cumsum([tensor.elements for tensor in inputs])[:-1]
        parts = np.split(np.asarray(samples.x[:count]), columns, axis=1)
        values = [x.reshape(count, *end.shape[1:]).astype(end.dtype) for x, end in zip(parts, inputs, strict=True)]
        answers = np.concatenate(float_outputs(tflite, values), axis=1)
    except TinyproofError as error:
        console.stderr().print(f"the float model was not asked: {error.message}")
        return None
    accuracy: dict[str, Any] = judge_of(samples, layouts_of(read_manifest(folder))[1], count)(answers[:, None, :])
    return accuracy


def check_and_locate(
    board: Board,
    folder: Path,
    port: str | None,
    config: CheckConfig,
    progress: Progress,
    differs: Callable[[], None],
) -> CheckReport:
    """The check, and where bits differ also the layer in which that begins; `differs` is called in between."""
    from tinyproof.host.check import check
    from tinyproof.host.expected import read_vectors

    report = check(board, folder, port, config, progress)

    def before(divergence: Divergence) -> Sequence[bytes]:
        return [content for content, _ in read_vectors(folder)[0][: divergence.index]] if report.sequence else []

    _name_layer(report, board, folder, config, differs, before)
    return report


def _name_layer(
    report: CheckReport | DatasetReport,
    board: Board,
    folder: Path,
    config: CheckConfig,
    differs: Callable[[], None],
    before: Callable[[Divergence], Sequence[bytes]],
) -> None:
    """Where bits differ, the layer of the first divergence goes into the report and its file."""
    from tinyproof.host.check_report import write_report

    if report.bits.divergences:
        differs()
        report.bits.layer_note = locate(board, folder, report.bits.divergences, config, before)
        write_report(report, board, folder)


@contextlib.contextmanager
def _bar(board: Board) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """What a check calls while it asks, and what is called when a difference is being looked into."""
    with console.progress() as bar:
        task = bar.add_task(f"check {board.name}", total=None, note="")
        yield (
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda: bar.update(task, note="looks for the layer"),
        )
