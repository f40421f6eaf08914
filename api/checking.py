# SPDX-License-Identifier: Apache-2.0
"""A board asked the vectors of a build or the samples of a file, and the layer found where its bits differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import OverlapError, TinyproofError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.digests import Put, compare_digests
from tinyproof.localization import locate

if TYPE_CHECKING:
    from tinyproof.core.data_set import DataForm, Dataset
    from tinyproof.core.tflite.tensor_layout import TensorLayout
    from tinyproof.host.bits import Divergence, Progress
    from tinyproof.host.check_report import CheckReport, DatasetReport
    from tinyproof.host.many.asking import ManyResult


def check_and_locate(
    board: Board,
    folder: Path,
    port: str | None,
    config: CheckConfig,
    progress: Progress | None,
    differs: Callable[[], None],
    put: Put | None = None,
) -> CheckReport:
    """The check, and where bits differ also the layer in which that begins; `differs` is called in between. `put`
    brings another firmware onto the board at `port`, where that may be done."""
    from tinyproof.host.check import check
    from tinyproof.host.check_report import write_report
    from tinyproof.host.expected import read_vectors

    report = check(board, folder, port, config, progress)

    def before(divergence: Divergence) -> Sequence[bytes]:
        return read_vectors(folder).inputs[: divergence.index] if report.sequence else []

    _name_layer(report, board, folder, config, differs, before)
    if report.many is not None and report.many.divergences:
        _name_layer_of_many(report, report.many, board, folder, config, differs)
    if report.bits_identical:
        try:
            report.digests, report.digests_note = compare_digests(board, folder, port, config, put)
        except OverlapError as fault:
            report.plan_fault = fault.message
        write_report(report, board, folder)
    return report


def check_samples(
    board: Board,
    folder: Path,
    port: str | None,
    config: CheckConfig,
    dataset: Path,
    limit: int | None,
    progress: Progress | None,
    differs: Callable[[], None],
    remark: Callable[[str], None],
    form: DataForm | None = None,
) -> DatasetReport:
    """The same of the first `limit` samples of the file `dataset`, and the accuracy of the float model behind the build
    on them; `remark` gets a sentence where that could not be asked."""
    from tinyproof.core.data_set import read_dataset
    from tinyproof.host.check_dataset import check_dataset, quantize_samples
    from tinyproof.host.check_report import write_report
    from tinyproof.host.session import layouts_of

    manifest = read_manifest(folder)
    x, y = layouts_of(manifest)
    samples = read_dataset(dataset, x.tensors, sequences=manifest.stateful, form=as_calibrated(form, manifest))

    def before(divergence: Divergence) -> Sequence[bytes]:
        heard = quantize_samples(samples, x, divergence.index + 1)[0][divergence.index * samples.frames :]
        return heard[: divergence.frame or 0]

    report = check_dataset(board, folder, port, config, samples, limit, progress)
    _name_layer(report, board, folder, config, differs, before)
    if report.accuracy and not samples.quantized and not report.sequence:
        report.float_accuracy = _float_accuracy(folder, samples, report.samples, y, remark)
        write_report(report, board, folder)
    return report


def as_calibrated(form: DataForm | None, manifest: Manifest) -> DataForm:
    """`form` with the values that the calibration's samples had, where it says none."""
    from tinyproof.core.data_set import DataForm
    from tinyproof.core.origin import FileCalibration

    form = form or DataForm()
    known = manifest.source.calibration if manifest.source is not None else None
    if form.values is None and isinstance(known, FileCalibration) and known.values is not None:
        return dataclasses.replace(form, values=(known.values[0], known.values[1]))
    return form


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


def _name_layer_of_many(
    report: CheckReport, many: ManyResult, board: Board, folder: Path, config: CheckConfig, differs: Callable[[], None]
) -> None:
    """The same of the first input that the board made itself and answered wrongly."""
    from tinyproof.host.check_report import write_report
    from tinyproof.host.many.asking import frames_before

    differs()
    inputs = read_manifest(folder).inputs
    many.layer_note = locate(
        *(board, folder, many.divergences, config), lambda divergence: frames_before(inputs, many, divergence.index)
    )
    write_report(report, board, folder)


def _float_accuracy(
    folder: Path, samples: Dataset, count: int, y: TensorLayout, remark: Callable[[str], None]
) -> dict[str, Any] | None:
    """Of the float model that was brought, on the same samples; None where there is none, or TensorFlow cannot run it.
    `y`: the outputs of the model that was asked.

    What the board lost by quantization is the difference: its own bits are TFLite Micro's.
    """
    import numpy as np

    from tinyproof.core.tflite.reader import read_file, read_graph
    from tinyproof.export.calibration import split
    from tinyproof.export.converter_process import float_outputs
    from tinyproof.export.import_model import FLOAT_FILE
    from tinyproof.export.keras_config import FloatInput
    from tinyproof.host.check_dataset import judge_of

    if not (folder / FLOAT_FILE).is_file():
        return None
    try:
        tflite = read_file(folder / FLOAT_FILE)
        graph = read_graph(tflite, FLOAT_FILE)
        inputs = [graph.tensors[index] for index in graph.inputs]
        ends = [FloatInput(tensor.name, tensor.shape[1:], tensor.dtype) for tensor in inputs]
        answers = np.concatenate(float_outputs(tflite, split(samples.x[:count], ends)), axis=1)
    except TinyproofError as error:
        remark(f"the float model was not asked: {error.message}")
        return None
    accuracy: dict[str, Any] = judge_of(samples, y, count)(answers[:, None, :])
    return accuracy
