# SPDX-License-Identifier: Apache-2.0
"""A small model that gives a broken kernel away: its wrong answers tell which part of the arithmetic is broken.

One input, a hidden layer of 12 channels whose weights differ in size by a factor of 40, one output. A single neuron,
the usual first test, answers rightly with most of these faults.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.manifest import Manifest
from tinyproof.core.tensorflow_settings import require_tensorflow
from tinyproof.core.tflite.arithmetic import activation_range, quantize_multiplier, requantize, weight_multipliers
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.core.tflite.schema import ACTIVATIONS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MODEL = "canary"
CHANNELS = 12  # not a multiple of 8, and more than 8
SEED = 20


@dataclass(frozen=True)
class Kernel:
    """A fully connected kernel; the defaults are TFLM's arithmetic, and each fault changes one of them."""

    per_channel: bool = True
    rescale: Callable[[int, int, int], int] = requantize
    use_bias: bool = True
    channel_multiple: int = 1
    input_zero_point: bool = True


def rescale_once(accumulator: int, multiplier: int, shift: int) -> int:
    """One rounding, as desktop TFLite and kernels built with TFLITE_SINGLE_ROUNDING do it."""
    total = 31 - shift
    return (accumulator * multiplier + (1 << (total - 1))) >> total


def rescale_down(accumulator: int, multiplier: int, shift: int) -> int:
    """No rounding at all."""
    return (accumulator * multiplier) >> (31 - shift)


FAULTS: dict[str, Kernel] = {
    "per-channel weights: the first channel's scale is used for all": Kernel(per_channel=False),
    "double rounding: results are rounded once": Kernel(rescale=rescale_once),
    "rounding: results are rounded down": Kernel(rescale=rescale_down),
    "bias: it is left out": Kernel(use_bias=False),
    "channels: those beyond a multiple of 8 are lost": Kernel(channel_multiple=8),
    "zero point: the input's is left out": Kernel(input_zero_point=False),
}


def make_canary(build_dir: Path) -> None:
    """Writes model.keras and begins manifest.json; the same weights every time."""
    from tinyproof.export.keras_quantizer import quiet

    require_tensorflow("the canary, a model made of Keras layers,")
    with quiet():
        model = _canary()
    build_dir.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save(build_dir / "model.keras")
    manifest = Manifest(MODEL, seeds={"train": SEED})
    manifest.add_artefact(build_dir / "model.keras")
    manifest.write(build_dir)


def _canary() -> Any:
    import keras
    import numpy as np

    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(CHANNELS, "relu"), keras.layers.Dense(1)])
    hidden, output = model.layers
    random = np.random.default_rng(SEED)
    size = np.geomspace(0.05, 2.0, CHANNELS)
    hidden.set_weights([(size * random.choice([-1.0, 1.0], CHANNELS)).reshape(1, -1), random.normal(0, 2, CHANNELS)])
    output.set_weights([random.normal(0, 1, (CHANNELS, 1)), random.normal(0, 1, 1)])
    return model


def answers(graph: Graph, kernel: Kernel) -> list[int]:
    """The canary's 256 outputs, for inputs -128 to 127, by a kernel with or without a fault."""
    import numpy as np

    values = np.arange(-128, 128, dtype=np.int64).reshape(256, 1)
    for operator in graph.operators:
        if operator.name == "FULLY_CONNECTED":
            values = _layer(graph, operator, values, kernel)
    return [int(value) for value in values[:, 0]]


def _layer(graph: Graph, operator: Operator, x: npt.NDArray[np.int64], kernel: Kernel) -> npt.NDArray[np.int64]:
    import numpy as np

    source, weights, bias = (graph.tensors[index] for index in operator.inputs[:3])
    output = graph.tensors[operator.outputs[0]]
    units, depth = weights.shape
    w = np.frombuffer(weights.data or b"", np.int8).astype(np.int64).reshape(units, depth)
    sums = (x - (source.zero_points[0] if kernel.input_zero_point else 0)) @ w.T
    if kernel.use_bias and bias.data is not None:
        sums = sums + np.array(struct.unpack(f"<{units}i", bias.data), np.int64)
    scales = weights.scales if kernel.per_channel else weights.scales[:1]
    multipliers = [quantize_multiplier(real) for real in weight_multipliers(source.scales[0], scales, output.scales[0])]
    activation = ACTIVATIONS[operator.options.get("fused_activation_function", 0)]
    low, high = activation_range(activation, output.scales[0], output.zero_points[0])
    whole = units - units % kernel.channel_multiple if units > kernel.channel_multiple else units
    rows = [
        [
            (kernel.rescale(int(value), *multipliers[unit % len(multipliers)]) if unit < whole else 0)
            + output.zero_points[0]
            for unit, value in enumerate(row)
        ]
        for row in sums
    ]
    return np.clip(np.array(rows, np.int64), low, high)


def diagnose(graph: Graph, wrong: Mapping[int, int]) -> str:
    """Name of the fault that explains a board's answers, `wrong` holding those that differ by input index 0 to 255.

    "" when nothing is wrong; when no single fault explains every answer, the closest one, and how close it is.
    """
    if not wrong:
        return ""
    golden = answers(graph, Kernel())
    board = [wrong.get(index, value) for index, value in enumerate(golden)]
    scores = {
        name: sum(ours != theirs for ours, theirs in zip(answers(graph, kernel), board, strict=True))
        for name, kernel in FAULTS.items()
    }
    best = min(scores, key=lambda name: scores[name])
    if scores[best] == 0:
        return best
    if scores[best] < len(wrong):
        return f"nothing known; closest is {best} ({256 - scores[best]} of 256 answers explained)"
    return "nothing known: no fault in the list explains these answers"
