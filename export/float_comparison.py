# SPDX-License-Identifier: Apache-2.0
"""The integer model beside the float one that it was quantized from: expected answers, tolerance, accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyproof.core.manifest import Expected, Manifest, TensorSpec, Tolerance
from tinyproof.core.origin import ImportAccuracy
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.export.converter_process import float_outputs
from tinyproof.export.keras_quantizer import GRID
from tinyproof.export.tolerance import CURVE_FILE, float_curve, quantization_report

MAX_EXPECTED_ANSWERS = 16
MAX_EXPECTED_VALUES = 4096  # of all questions together: the manifest is text


def expect_float_answers(
    folder: Path,
    manifest: Manifest,
    tflite: bytes,
    float_model: bytes,
    samples: list[Any],
    asked: tuple[float, float] | None,
    warnings: list[str],
) -> ImportAccuracy:
    """Completes `manifest`: the float model's answers to some samples, what quantization makes of all of them as the
    tolerance; its whole curve where it is one, and over the range `asked`.

    `samples`: of each input [N, *shape without the batch].
    """
    import numpy as np

    y = TensorLayout(tuple(manifest.outputs))
    right = float_outputs(float_model, samples)
    reference = Reference(tflite)
    ours = _integer_answers(manifest, reference, samples)
    ends = _split(ours, y)
    worst = [float(np.abs(a - b).max()) for a, b in zip(ends, right, strict=True)]
    accuracy = ImportAccuracy(
        samples=len(ours),
        worst_error=max(worst),
        sqnr_db=_worst_ratio(ends, right),
        same_class_share=_same_class(ends, right),
        warnings=warnings or None,
    )
    x = TensorLayout(tuple(manifest.inputs))
    if x.size_bytes == y.size_bytes == 1:
        extra = _curve(folder, manifest, reference, float_model, samples[0].shape[1:], asked)
        worst = [max(worst[0], extra)]
    count = min(MAX_EXPECTED_ANSWERS, MAX_EXPECTED_VALUES // max(1, x.elements + y.elements), len(ours))
    chosen = sorted({round(index) for index in np.linspace(0, len(ours) - 1, count)}) if count else []
    manifest.expected = [
        Expected(
            [float(value) for part in samples for value in part[index].reshape(-1)],
            [float(value) for part in right for value in part[index]],
            "float model, calibration sample",
        )
        for index in chosen
    ]
    if manifest.expected:
        manifest.tolerance = _tolerance(manifest.outputs, worst, len(ours))
    return accuracy


def _integer_answers(manifest: Manifest, reference: Reference, samples: list[Any]) -> Any:
    """[N, elements of all outputs] in real values, each from a reset: a sample has no past."""
    import numpy as np

    from tinyproof.core.tflite.arrays import quantize_array

    layout = TensorLayout(tuple(manifest.outputs))
    answers = []
    for sample in zip(*samples, strict=True):
        content = b"".join(
            quantize_array(part, tensor.scale, tensor.zero_point, tensor.dtype).tobytes()
            for part, tensor in zip(sample, manifest.inputs, strict=True)
        )
        reference.reset()
        answers.append(layout.dequantize(layout.values(reference.run(content))))
    return np.array(answers)


def _split(answers: Any, layout: TensorLayout) -> list[Any]:
    parts, start = [], 0
    for tensor in layout.tensors:
        parts.append(answers[:, start : start + tensor.elements])
        start += tensor.elements
    return parts


def _worst_ratio(ours: list[Any], right: list[Any]) -> float | None:
    ratios = []
    for a, b in zip(ours, right, strict=True):
        noise, power = float(((a - b) ** 2).sum()), float((b.astype("float64") ** 2).sum())
        if noise > 0 and power > 0:
            ratios.append(10 * math.log10(power / noise))
    return min(ratios, default=None)


def _same_class(ours: list[Any], right: list[Any]) -> float | None:
    shares = [float((a.argmax(1) == b.argmax(1)).mean()) for a, b in zip(ours, right, strict=True) if b.shape[1] > 1]
    return min(shares, default=None)


def _curve(
    folder: Path,
    manifest: Manifest,
    reference: Reference,
    float_model: bytes,
    shape: tuple[int, ...],
    asked: tuple[float, float] | None,
) -> float:
    """Of a model of one number in, one out: its float curve as an artefact, the report on the range `asked`; returns
    the worst error there."""
    import numpy as np

    worst = 0.0

    def evaluate(x: Sequence[float]) -> list[float]:
        column = np.array(x, np.float32).reshape(-1, *shape)
        return [float(y) for y in float_outputs(float_model, [column])[0].reshape(-1)]

    if asked is not None:
        x = np.linspace(*asked, GRID, dtype=np.float32).tolist()
        reference.reset()
        answers = {q: reference.run(bytes([q & 0xFF]))[0] for q in range(-128, 128)}
        manifest.quantization = quantization_report(manifest, x, evaluate(x), lambda q: (answers[q] ^ 0x80) - 0x80)
        worst = manifest.quantization.worst_error
    (folder / CURVE_FILE).write_text(float_curve(manifest, evaluate), encoding="utf-8", newline="\n")
    manifest.add_artefact(folder / CURVE_FILE)
    return worst


def _tolerance(outputs: list[TensorSpec], worst: list[float], samples: int) -> Tolerance:
    """Of several outputs, that of the one that needs most."""
    number = max(range(len(outputs)), key=lambda index: worst[index] + outputs[index].scale / 2)
    error, half = worst[number], outputs[number].scale / 2
    where = f" at output {number}" if len(outputs) > 1 else ""
    bits = outputs[number].dtype
    return Tolerance(
        error + half,
        {"quantization, worst of all samples": error, "half an output step": half},
        f"on {samples} samples {bits} leaves the float model by up to {error:.4g}{where}, as the golden reference "
        f"computes it; half an output step is {half:.4g}",
    )
