# SPDX-License-Identifier: Apache-2.0
"""Asks a board every sample of a data set: bits against the golden reference, and answers against the labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import Dataset
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.reference.golden import in_words
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.bits import Progress, ask_inputs
from tinyproof.host.check_report import DatasetReport, write_report
from tinyproof.host.expected import load_reference
from tinyproof.host.session import layouts_of, open_session


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
    judge = _judge(dataset, y, count)
    inputs, saturated = quantize_samples(dataset, x, count)
    reference = load_reference(build_dir, manifest)

    def golden(content: bytes) -> bytes:
        reference.reset()
        return reference.run(content)

    outputs: list[tuple[int, ...]] = []
    with open_session(board, build_dir, port, config, manifest=manifest) as session:
        bits = ask_inputs(
            *(session, inputs, golden, progress),
            heard=lambda answer: outputs.append(answer.q),
        )
        info = session.info
    report = DatasetReport(
        *(manifest.model, manifest.model_id, info.board, info.engine),
        *(dataset.file, dataset.sha256, len(dataset), in_words(reference.name)),
        bits=bits,
        input_saturated=saturated,
        accuracy=judge(outputs),
    )
    write_report(report, board, build_dir)
    return report


def quantize_samples(dataset: Dataset, layout: TensorLayout, count: int) -> tuple[list[bytes], int]:
    """Inputs as the device itself would quantize them (float32, ties away from zero), and how many samples hold a value
    beyond the range of its type."""
    from tinyproof.core.tflite.arrays import quantize_array, saturates_array

    samples = dataset.x[:count]
    if dataset.quantized:
        return [layout.content(sample.tolist()) for sample in samples], 0
    inputs, saturated = [], 0
    for sample in samples:
        content, clamped, start = b"", False, 0
        for tensor in layout.tensors:
            part = sample[start : start + tensor.elements]
            start += tensor.elements
            content += quantize_array(part, tensor.scale, tensor.zero_point, tensor.dtype).tobytes()
            clamped |= bool(saturates_array(part, tensor.scale, tensor.zero_point, tensor.dtype).any())
        inputs.append(content)
        saturated += clamped
    return inputs, saturated


def _judge(dataset: Dataset, layout: TensorLayout, count: int) -> Any:
    """A function from all outputs to the accuracy; checks the labels before anything is asked."""
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
            correct = int((np.array(outputs).argmax(1) == y).sum())
            return {"kind": "class", "correct": correct, "share": correct / count}

        return classes
    right = y.reshape(count, -1).astype(np.float64)
    if right.shape[1] != layout.elements:
        raise UsageError(f"{dataset.file}: y has {right.shape[1]} values a sample, the model answers {layout.elements}")

    def reals(outputs: Any) -> dict[str, Any]:
        errors = np.abs(np.array([layout.dequantize(q) for q in outputs]) - right)
        return {"kind": "real", "rmse": float(np.sqrt((errors**2).mean())), "worst": float(errors.max())}

    return reals
