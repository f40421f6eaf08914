# SPDX-License-Identifier: Apache-2.0
"""Asks a board every sample of a data set: bits against the golden reference, and answers against the labels.

A sample that is a sequence of frames comes right after a reset, and its bits are compared frame by frame. What it
answered as a whole is, where labels are class numbers, the largest value of each output over all frames: a detector has
heard its word if it was sure at any time. Where labels are real answers, it is what the last frame answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import Dataset
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.reference.golden import in_words
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.bits import Progress, ask_samples
from tinyproof.host.check_report import DatasetReport, write_report
from tinyproof.host.expected import load_reference
from tinyproof.host.session import layouts_of, open_session

HEARD = 0.5  # of a probability: from here on it stands for yes


def check_dataset(
    board: Board,
    build_dir: Path,
    port: str | None,
    config: CheckConfig,
    dataset: Dataset,
    limit: int | None = None,
    progress: Progress | None = None,
) -> DatasetReport:
    """Asks the first `limit` samples, and writes boards/<board>/dataset.json.

    Raises what `open_session` raises, and UsageError where the labels do not fit the model's output.
    """
    manifest = read_manifest(build_dir)
    x, y = layouts_of(manifest)
    count = len(dataset) if limit is None else min(limit, len(dataset))
    judge = judge_of(dataset, y, count)
    inputs, saturated = quantize_samples(dataset, x, count)
    frames = dataset.frames
    samples = [inputs[first : first + frames] for first in range(0, len(inputs), frames)]
    reference = load_reference(build_dir, manifest)

    outputs: list[list[list[float]]] = []
    with open_session(board, build_dir, port, config, manifest=manifest) as session:
        session.expect(len(inputs), config)
        bits = ask_samples(
            *(session, samples, len(inputs), reference.run_batch, progress),
            heard=lambda answers: outputs.append([y.dequantize(answer.q) for answer in answers]),
        )
        info = session.info
    report = DatasetReport(
        *(manifest.model, manifest.model_id, info.board, info.engine),
        *(dataset.file, dataset.sha256, len(dataset), in_words(reference.name)),
        bits=bits,
        frames=frames,
        input_saturated=saturated,
        accuracy=judge(outputs),
    )
    write_report(report, board, build_dir)
    return report


def quantize_samples(dataset: Dataset, layout: TensorLayout, count: int) -> tuple[list[bytes], int]:
    """Inputs of the first `count` samples, frame by frame, as the device itself would quantize them (float32, ties away
    from zero), and how many samples hold a value beyond the range of its type."""
    from tinyproof.core.tflite.arrays import quantize_array, saturates_array

    rows = dataset.x[: count * dataset.frames]
    if dataset.quantized:
        return [layout.content(row.tolist()) for row in rows], 0
    inputs, saturated = [], set()
    for number, row in enumerate(rows):
        content, clamped, start = b"", False, 0
        for tensor in layout.tensors:
            part = row[start : start + tensor.elements]
            start += tensor.elements
            content += quantize_array(part, tensor.scale, tensor.zero_point, tensor.dtype).tobytes()
            clamped |= bool(saturates_array(part, tensor.scale, tensor.zero_point, tensor.dtype).any())
        inputs.append(content)
        if clamped:
            saturated.add(number // dataset.frames)
    return inputs, len(saturated)


def detected(heard: Sequence[bool], said: Sequence[int]) -> dict[str, Any]:
    """The accuracy of a detector: what it heard in each sample, and what was said there, 0 or 1."""
    pairs = list(zip(heard, map(bool, said), strict=True))
    missed, false = pairs.count((False, True)), pairs.count((True, False))
    correct = len(pairs) - missed - false
    return {
        "kind": "detection",
        "correct": correct,
        "share": correct / len(pairs),
        "missed": missed,
        "false": false,
    }


def judge_of(dataset: Dataset, layout: TensorLayout, count: int) -> Any:
    """A function from all outputs of the first `count` samples, real values [sample][frame][element], to the accuracy.

    Raises UsageError where the labels do not fit the model's output `layout`, before anything is asked.
    """
    import numpy as np

    if dataset.y is None:
        return lambda outputs: None
    y = dataset.y[:count]
    if y.ndim == 1 and layout.elements > 1:
        if len(layout.tensors) > 1:
            raise UsageError(
                f"{dataset.file}: class numbers say nothing to {len(layout.tensors)} outputs; y needs the "
                f"{layout.elements} real values of all of them"
            )
        if y.min() < 0 or y.max() >= layout.elements:
            raise UsageError(
                f"{dataset.file}: labels from {y.min()} to {y.max()}, the model knows {layout.elements} classes"
            )

        def classes(outputs: Any) -> dict[str, Any]:
            answered = np.array(outputs).max(1).argmax(1)
            correct = int((answered == y).sum())
            confusion = np.zeros((layout.elements, layout.elements), int)
            np.add.at(confusion, (y, answered), 1)
            return {
                "kind": "class",
                "correct": correct,
                "share": correct / count,
                "confusion": confusion.tolist(),
                "labels": y.tolist(),
                "answered": answered.tolist(),
            }

        return classes
    if dataset.frames > 1 and y.ndim == 1 and set(y.tolist()) <= {0, 1}:

        def detections(outputs: Any) -> dict[str, Any]:
            heard = [max(p for answer in frames for p in answer) >= HEARD for frames in outputs]
            return detected(heard, y.tolist())

        return detections
    right = y.reshape(count, -1).astype(np.float64)
    if right.shape[1] != layout.elements:
        raise UsageError(f"{dataset.file}: y has {right.shape[1]} values a sample, the model answers {layout.elements}")

    def reals(outputs: Any) -> dict[str, Any]:
        errors = np.abs(np.array([frames[-1] for frames in outputs]) - right)
        return {"kind": "real", "rmse": float(np.sqrt((errors**2).mean())), "worst": float(errors.max())}

    return reals
