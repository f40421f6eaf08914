# SPDX-License-Identifier: Apache-2.0
"""Where int8 leaves the float model: the signal to quantization noise ratio behind every operator. Loads TensorFlow.

SQNR = 10 log10(sum y^2 / sum (y - y_int8)^2), over all elements and samples. What an operator adds is the growth of the
noise's share of the signal from its inputs to its output; the operator that adds most is the one to look at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.converter_process import float_model as convert
from tinyproof.export.tf_converter import int8_tensors, tensors_of_float

FLOAT_FILE = "model_float.tflite"


@dataclass(frozen=True)
class Noise:
    """`sqnr_db`: None where there is no noise (or no signal). `added`: share of the signal that became noise here.
    `float_low`, `float_high`: how far the float model's output went, in real values."""

    index: int
    name: str
    sqnr_db: float | None
    added: float
    float_low: float
    float_high: float


def float_model(build_dir: Path) -> bytes | None:
    """The float .tflite behind the build: as imported, or converted from model.keras; None where there is neither."""
    if (build_dir / FLOAT_FILE).is_file():
        return read_file(build_dir / FLOAT_FILE)
    if (build_dir / "model.keras").is_file():
        return convert(build_dir / "model.keras", "keras")
    return None


def layer_noise(float_tflite: bytes, tflite: bytes, samples: Any) -> list[Noise]:
    """`samples`: real values [N, elements of all inputs]. One entry for each operator between the ends, in their order.

    int8 is computed by TensorFlow's reference kernels, which expose their tensors; they round like TFLite Micro's but
    for the last bit, which no ratio shows. Raises InputFileError where the two models do not have the same operators.
    """
    import numpy as np

    from tinyproof.core.tflite.arrays import quantize_array

    ours, theirs = read_graph(tflite), read_graph(float_tflite, FLOAT_FILE)
    ends = device_ends(ours)
    inner = ends.operators
    pairs = _pair(ours, inner, theirs)
    wanted = [*(tensor.index for tensor in ends.inputs), *(ours_index for _, ours_index, _ in pairs)]
    wanted_float = [*theirs.inputs, *(float_index for _, _, float_index in pairs)]
    signal, noise = np.zeros(len(wanted)), np.zeros(len(wanted))
    low, high = np.full(len(wanted), np.inf), np.full(len(wanted), -np.inf)
    for sample in samples:
        x, x_q, start = [], [], 0
        for source, index in zip(ends.inputs, theirs.inputs, strict=True):
            target = theirs.tensors[index]
            part = sample[start : start + source.elements].reshape(target.shape).astype(target.dtype)
            start += source.elements
            x.append(part)
            x_q.append(quantize_array(part, *source.quantization, source.dtype).reshape(source.shape))
        values = tensors_of_float(float_tflite, x, wanted_float)
        for place, (q, y) in enumerate(zip(int8_tensors(tflite, x_q, wanted), values, strict=True)):
            tensor = ours.tensors[wanted[place]]
            real = q.astype(np.float64)
            if tensor.scales:
                real = tensor.scales[0] * (real - tensor.zero_points[0])
            low[place], high[place] = min(low[place], y.min()), max(high[place], y.max())
            signal[place] += (y.astype(np.float64) ** 2).sum()
            noise[place] += ((y.reshape(-1) - real.reshape(-1)) ** 2).sum()
    share = {wanted[i]: float(noise[i] / signal[i]) if signal[i] > 0 else 0.0 for i in range(len(wanted))}
    found = []
    for place, (operator, index, _) in enumerate(pairs, start=len(ends.inputs)):
        incoming = max((share.get(i, 0.0) for i in operator.inputs), default=0.0)
        ratio = share[index]
        decibels = -10 * math.log10(ratio) if ratio > 0 else None
        reached = float(low[place]), float(high[place])
        found.append(Noise(operator.index, operator.name, decibels, max(0.0, ratio - incoming), *reached))
    return found


def _pair(ours: Graph, inner: tuple[Operator, ...], theirs: Graph) -> list[tuple[Operator, int, int]]:
    """(int8 operator, its output, the float tensor of the same meaning), by name where names are the same, otherwise
    by the order of the operators."""
    names = {tensor.name: tensor.index for tensor in theirs.tensors if tensor.data is None}
    by_name = [
        (operator, operator.outputs[0], names[ours.tensors[operator.outputs[0]].name])
        for operator in inner
        if ours.tensors[operator.outputs[0]].name in names
    ]
    if len(by_name) == len(inner):
        return by_name
    left = [operator for operator in theirs.operators if operator.name not in ("QUANTIZE", "DEQUANTIZE")]
    own = [operator for operator in inner if operator.name not in ("QUANTIZE", "DEQUANTIZE")]
    if [operator.name for operator in left] != [operator.name for operator in own]:
        raise InputFileError(f"{FLOAT_FILE}: its operators are not those of model.tflite, layers cannot be compared")
    return [(a, a.outputs[0], b.outputs[0]) for a, b in zip(own, left, strict=True)]
