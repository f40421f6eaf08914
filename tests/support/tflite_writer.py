# SPDX-License-Identifier: Apache-2.0
"""Models for tests: the product's writer of .tflite files, and networks of random layers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from tinyproof.core.tflite.writer import Model, Subgraph, pack_values

__all__ = ["Model", "Subgraph", "dense_network", "pack_values"]


def dense_network(seed: int, widths: Sequence[int], rows: int = 1) -> bytes:
    """Random layers: activations, per-tensor and per-channel scales, dead units, left shifts, biases or none.

    Output scales follow each layer's reach, so that answers use their range without saturating throughout.
    """
    r = random.Random(seed)
    model = Model()
    scale, zero_point = r.uniform(0.005, 0.2), r.randint(-128, 127)
    x = model.input((rows, widths[0]), scale, zero_point)
    for depth, units in itertools.pairwise(widths):
        weights = [[r.randint(-127, 127) for _ in range(depth)] for _ in range(units)]
        per_channel = units > 1 and r.random() < 0.6
        unit = r.uniform(0.01, 0.03) / depth**0.5
        scales = [unit * 2.0 ** -r.randint(0, 4) for _ in range(units if per_channel else 1)]
        if per_channel and r.random() < 0.3:
            scales[r.randrange(units)] = 1e-12  # a channel that rounds to nothing
        reach = max(scales) * scale * 128 * 64 * depth**0.5
        out_scale = reach / 127 * 2.0 ** r.randint(-1, 1)
        if r.random() < 0.15 and scale > 0.01:
            out_scale = max(scales) * scale / r.choice([0.7, 1.5, 3.0])  # no shift, or one to the left; saturates
        y = model.tensor((rows, units), out_scale, r.randint(-128, 127))
        bias = [r.randint(-4000, 4000) for _ in range(units)] if r.random() < 0.7 else None
        activation = r.choice([0, 1, 3, 2])  # NONE, RELU, RELU6, RELU_N1_TO_1 of the schema
        model.add_dense(x, y, weights, scales, bias, fusedActivationFunction=activation)
        x, scale = y, out_scale
    return model.build(x)
