# SPDX-License-Identifier: Apache-2.0
"""Asks a board every sample of a data set: bits against the golden reference, and answers against the labels."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import Dataset
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Tensor, read_manifest
from tinyproof.core.reference.golden import in_words
from tinyproof.host.check import Progress, board_port, greet, part_of, tensors_of
from tinyproof.host.check_report import Divergence
from tinyproof.host.expected import load_reference
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.numbers import int8s
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of

FILE = "dataset.json"
KEPT_DIVERGENCES = 100


@dataclass
class DatasetReport:
    """`accuracy`: None without labels; {"kind": "class", "correct", "share"} where labels are class numbers, and
    {"kind": "real", "rmse", "worst"} where they are real answers. Saturation counts samples with a clamped value."""

    model: str
    model_id: str
    board: str
    engine: str
    file: str
    sha256: str
    samples_in_file: int
    reference: str  # who gave the golden answers
    samples: int = 0
    different: int = 0
    input_saturated: int = 0
    divergences: list[Divergence] = field(default_factory=list)
    layer_note: str = ""  # why the layer of the first divergence is not known, where it is not
    accuracy: dict[str, Any] | None = None
    ticks_min: int = 0
    ticks_max: int = 0
    tick_unit: str = ""
    seconds: float = 0.0
    round_trips_per_second: float = 0.0
    repeats: int = 0

    @property
    def proven(self) -> bool:
        return self.samples > 0 and self.different == 0

    def as_dict(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "proven": self.proven}

    def mismatch(self) -> str:
        """What is wrong, in one line; empty when every bit is the reference's."""
        if not self.different:
            return ""
        return f"{self.different} of {self.samples} samples differ on {self.board}; first: {self.divergences[0]}"


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

    Raises what `check` raises, and UsageError where the labels do not fit the model's output.
    """
    manifest = read_manifest(build_dir)
    tensors = x_tensor, y_tensor = tensors_of(manifest)
    count = len(dataset) if limit is None else min(limit, len(dataset))
    judge = _judge(dataset, y_tensor, count)
    inputs, saturated = quantize_samples(dataset, x_tensor, count)
    reference = load_reference(build_dir, manifest)
    policy = policy_of(board)
    outputs = []
    with (
        board_port(board, build_dir, port) as name,
        Link(name, policy, config.timeout_s, config.retries) as link,
    ):
        info = greet(link, manifest, tensors, policy.boot_s)
        inference = Inference(link, info, lambda: greet(link, manifest, tensors))
        report = DatasetReport(
            *(manifest.model, manifest.model_id, info.board, info.engine),
            *(dataset.file, dataset.sha256, len(dataset), in_words(reference.name)),
            input_saturated=saturated,
        )
        before, started = link.requests, time.perf_counter()
        ticks = []
        for index, content in enumerate(inputs):
            inference.on_part = part_of(progress, index, count, len(content))
            answer = inference.from_int8(content)
            outputs.append(answer.q)
            ticks.append(answer.ticks)
            _compare(report, index, content, int8s(reference.run(content)), answer.q)
            report.tick_unit = answer.unit
            if progress is not None:
                progress(index + 1, count)
        report.seconds = round(time.perf_counter() - started, 3)
        report.round_trips_per_second = round((link.requests - before) / max(report.seconds, 1e-9), 1)
        report.repeats = link.repeats
    report.samples = count
    report.ticks_min, report.ticks_max = min(ticks), max(ticks)
    report.accuracy = judge(outputs)
    write_dataset_report(report, board, build_dir)
    return report


def write_dataset_report(report: DatasetReport, board: Board, build_dir: Path) -> None:
    """dataset.json in boards/<board>/."""
    folder = build_dir / "boards" / board.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")


def _compare(
    report: DatasetReport, index: int, content: bytes, expected: tuple[int, ...], got: tuple[int, ...]
) -> None:
    if got == expected:
        return
    report.different += 1
    if len(report.divergences) < KEPT_DIVERGENCES:
        element = next(i for i, (ours, theirs) in enumerate(zip(expected, got, strict=True)) if ours != theirs)
        report.divergences.append(Divergence(index, list(int8s(content)), element, expected[element], got[element]))


def quantize_samples(dataset: Dataset, tensor: Tensor, count: int) -> tuple[list[bytes], int]:
    """int8 inputs as the device itself would quantize them (float32, ties away from zero), and how many samples hold a
    value beyond int8's range."""
    from tinyproof.core.tflite.arrays import quantize_array, saturates_array

    samples = dataset.x[:count]
    if dataset.quantized:
        return [sample.tobytes() for sample in samples], 0
    inputs = [quantize_array(sample, tensor.scale, tensor.zero_point).tobytes() for sample in samples]
    return inputs, sum(bool(saturates_array(sample, tensor.scale, tensor.zero_point).any()) for sample in samples)


def _judge(dataset: Dataset, tensor: Tensor, count: int) -> Any:
    """A function from all outputs to the accuracy; checks the labels before anything is asked."""
    import numpy as np

    if dataset.y is None:
        return lambda outputs: None
    y = dataset.y[:count]
    if y.ndim == 1 and tensor.bytes > 1:
        if y.min() < 0 or y.max() >= tensor.bytes:
            raise UsageError(
                f"{dataset.file}: labels from {y.min()} to {y.max()}, the model knows {tensor.bytes} classes"
            )

        def classes(outputs: Any) -> dict[str, Any]:
            correct = int((np.array(outputs).argmax(1) == y).sum())
            return {"kind": "class", "correct": correct, "share": correct / count}

        return classes
    right = y.reshape(count, -1).astype(np.float64)
    if right.shape[1] != tensor.bytes:
        raise UsageError(f"{dataset.file}: y has {right.shape[1]} values a sample, the model answers {tensor.bytes}")

    def reals(outputs: Any) -> dict[str, Any]:
        errors = np.abs(tensor.scale * (np.array(outputs, np.float64) - tensor.zero_point) - right)
        return {"kind": "real", "rmse": float(np.sqrt((errors**2).mean())), "worst": float(errors.max())}

    return reals
