# SPDX-License-Identifier: Apache-2.0
"""The model's constants, from its .tflite: weights before rounding, as stored, and what that means."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.origin import NeuronTraining
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.report.build_data import ReportData

FLOAT_FILE = "model_float.tflite"
SHOWN_VALUES = 2  # of a weight tensor
_CODES = {"int8": "b", "int32": "i", "float32": "f"}
_ENDS = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class WeightRow:
    """A constant tensor: its first values as learned ("" where nobody kept them), as integers, and dequantized."""

    name: str
    shape: str
    dtype: str
    scale: str
    before: str
    stored: str
    after: str


def weight_rows(graph: Graph, floats: dict[int, list[float]]) -> list[WeightRow]:
    """Quantized constants, layer by layer. `floats`: learned values by tensor index, where they are known."""
    rows = []
    used = dict.fromkeys(index for operator in graph.operators for index in operator.inputs if index >= 0)
    for tensor in (graph.tensors[index] for index in used):
        stored = _values(tensor) if tensor.dtype != "float32" else None
        if stored is None or not tensor.scales:
            continue
        # A neuron's two numbers in full; of long tensors a short look.
        shown, digits = (1, 6) if tensor.elements == 1 else (SHOWN_VALUES, 3)
        low, high = min(tensor.scales), max(tensor.scales)
        scale = f"{low:.6g}" if len(tensor.scales) == 1 else f"{low:.2g} to {high:.2g}"
        after = [_real(tensor, place, int(q)) for place, q in enumerate(stored[:shown])]
        before = floats.get(tensor.index, [])[:shown]
        more = ", …" if tensor.elements > shown else ""
        rows.append(
            WeightRow(
                tensor.name or "unnamed",
                _shape(tensor),
                tensor.dtype,
                scale,
                ", ".join(f"{value:.{digits}g}" for value in before) + (more if before else ""),
                ", ".join(map(str, stored[:shown])) + more,
                ", ".join(f"{value:.{digits}g}" for value in after) + more,
            )
        )
    return rows


def read_model(build_dir: Path, data: ReportData) -> Graph | None:
    """The exported .tflite, or None where there is none yet."""
    path = build_dir / "model.tflite"
    return read_graph(read_file(path)) if data.manifest.model_id and path.is_file() else None


def learned_values(build_dir: Path, data: ReportData, graph: Graph) -> dict[int, list[float]]:
    """Values of the graph's constants before rounding: the neuron's from its training, any other model's from its float
    .tflite, whose operators come in the same order."""
    training = data.manifest.training
    if isinstance(training, NeuronTraining):
        known = {"int8": [training.w], "int32": [training.b]}
        return {t.index: known[t.dtype] for op in graph.operators for t in constants_of(graph, op) if t.dtype in known}
    if FLOAT_FILE not in data.manifest.artefacts or not (build_dir / FLOAT_FILE).is_file():
        return {}
    original = read_graph(read_file(build_dir / FLOAT_FILE), FLOAT_FILE)
    ours, theirs = ([operator for operator in one.operators if operator.name not in _ENDS] for one in (graph, original))
    if [operator.name for operator in ours] != [operator.name for operator in theirs]:
        return {}
    found = {}
    for mine, other in zip(ours, theirs, strict=True):
        for index, float_index in zip(mine.inputs, other.inputs, strict=False):
            if index < 0 or float_index < 0 or original.tensors[float_index].dtype != "float32":
                continue
            values = _values(original.tensors[float_index])
            if values is not None and graph.tensors[index].elements == len(values):
                found[index] = [float(value) for value in values]
    return found


def constants_of(graph: Graph, operator: Operator) -> list[Tensor]:
    """The inputs of an operator that the file holds the values of."""
    return [graph.tensors[index] for index in operator.inputs if index >= 0 and graph.tensors[index].data is not None]


def _real(tensor: Tensor, place: int, q: int) -> float:
    """scale * (q - zero_point) of the element at `place`, with the scale of its channel."""
    channel = 0
    if len(tensor.scales) > 1:
        inner = math.prod(tensor.shape[tensor.quantized_dimension + 1 :])
        channel = place // inner % len(tensor.scales)
    zero_point = tensor.zero_points[channel if len(tensor.zero_points) > 1 else 0] if tensor.zero_points else 0
    return tensor.scales[channel] * (q - zero_point)


def _values(tensor: Tensor) -> tuple[int | float, ...] | None:
    """All values of a constant, or None where it is none, or of a type that holds no weights."""
    code = _CODES.get(tensor.dtype)
    if code is None or not tensor.data:
        return None
    return struct.unpack(f"<{len(tensor.data) // struct.calcsize(code)}{code}", tensor.data)


def _shape(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "1"
