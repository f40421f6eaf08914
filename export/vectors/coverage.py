# SPDX-License-Identifier: Apache-2.0
"""What a set of vectors excites: outputs that move, channels that are not at an end, and planted faults that show."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.arithmetic import ACTIVATION_RANGES, activation_range
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.ends import QUANTIZED, Ends
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.schema import ACTIVATIONS
from tinyproof.export.vectors.candidates import parts_of
from tinyproof.export.vectors.planted import Detector, Planter

TRACED_VALUES = 1 << 24  # of all layers and vectors together; beyond it fewer vectors are looked into
FRESH = 0x5EED  # these faults are not those that the vectors were chosen by


@dataclass(frozen=True)
class LayerCoverage:
    """Of an operator with weights. `channels_moving`: of its `channels`, those that take a value between the ends of
    their range for some vector. `faults_seen`: of `faults` planted into its constants, those that change an answer."""

    operator: int
    name: str
    channels: int
    channels_moving: int
    faults: int
    faults_seen: int


@dataclass(frozen=True)
class Coverage:
    """`outputs_moving`: of `outputs` bytes that the model answers, those that are not always the same."""

    outputs: int
    outputs_moving: int
    layers: tuple[LayerCoverage, ...]

    def as_dict(self) -> dict[str, Any]:
        """What vectors.json holds."""
        return {
            "outputs": self.outputs,
            "outputs_moving": self.outputs_moving,
            "faults": sum(layer.faults for layer in self.layers),
            "faults_seen": sum(layer.faults_seen for layer in self.layers),
            "layers": [asdict(layer) for layer in self.layers],
        }


def measure(
    tflite: bytes,
    graph: Graph,
    ends: Ends,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    *,
    seed: int,
    faults: int,
) -> Coverage:
    """Of vectors whose right answers are `outputs`, of a model with state consecutive ones. `faults` are planted, the
    same for the same `seed`, so that fewer vectors never show more of them."""
    planter = Planter(tflite, graph)
    moving = _moving(tflite, graph, planter.operators, inputs)
    planted = {operator.index: [0, 0] for operator in planter.operators}
    detector = Detector(inputs, outputs)
    for fault in itertools.islice(planter.faults(seed ^ FRESH), faults):
        try:
            seen = detector.finds(planter.load(fault), range(len(inputs))) is not None
        except InputFileError:
            continue
        planted[fault.operator.index][0] += 1
        planted[fault.operator.index][1] += seen
    rows = np.frombuffer(b"".join(outputs), np.uint8).reshape(len(outputs), -1)
    layers = tuple(
        LayerCoverage(op.index, op.name, *moving[op.index], *planted[op.index])  # two numbers each
        for op in planter.operators
    )
    return Coverage(rows.shape[1], int((rows != rows[0]).any(0).sum()), layers)


def _moving(
    tflite: bytes, graph: Graph, operators: Sequence[Operator], inputs: Sequence[bytes]
) -> dict[int, tuple[int, int]]:
    """By operator: channels of its output along the last dimension, and those that a vector brings between its ends."""
    outputs = [graph.tensors[op.outputs[0]] for op in operators]
    found = [np.zeros(tensor.shape[-1] if tensor.shape else 1, bool) for tensor in outputs]
    reference = Reference(tflite, graph=graph)
    values = max(1, sum(tensor.elements for tensor in outputs))
    for content in inputs[: max(1, TRACED_VALUES // values)]:
        contents = reference.trace(content, [tensor.index for tensor in outputs])
        for op, tensor, channels, part in zip(operators, outputs, found, contents, strict=True):
            np.logical_or(channels, _between(op, tensor, part), out=channels)
    return {op.index: (len(channels), int(channels.sum())) for op, channels in zip(operators, found, strict=True)}


def _between(operator: Operator, tensor: Tensor, content: bytes) -> npt.NDArray[np.bool_]:
    """Of each channel, whether an element is within the range of the operator's clamp, but at none of its ends."""
    values = parts_of(content, (tensor,))[0].reshape(-1, tensor.shape[-1] if tensor.shape else 1)
    low, high = DTYPES[tensor.dtype].low, DTYPES[tensor.dtype].high
    activation = ACTIVATIONS[operator.options.get("fused_activation_function", 0)]
    if tensor.scales and tensor.dtype in QUANTIZED and activation in ACTIVATION_RANGES:
        low, high = activation_range(activation, *tensor.quantization, tensor.dtype)
    between: npt.NDArray[np.bool_] = np.any((values > low) & (values < high), axis=0)
    return between
