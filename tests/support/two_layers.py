# SPDX-License-Identifier: Apache-2.0
"""A network of two layers, for boards that run Google's interpreter."""

from __future__ import annotations

from pathlib import Path

from support.compiled import compiled
from support.tflite_writer import Model

CHANNELS = 12


def two_layers(hidden: int = CHANNELS) -> bytes:
    """1-`hidden`-1, one scale for each layer's weights."""
    model = Model()
    x = model.input((1, 1), 0.078, 0)
    weights = model.tensor((hidden, 1), 0.01, 0, [(37 * i) % 255 - 127 for i in range(hidden)])
    bias = model.tensor((hidden,), 0.078 * 0.01, 0, [311 * i - 1500 for i in range(hidden)], "int32")
    middle = model.tensor((1, hidden), 0.06, -128)
    model.add("FULLY_CONNECTED", [x, weights, bias], [middle], fusedActivationFunction=1)
    last = model.tensor((1, hidden), 0.02, 0, [(53 * i) % 255 - 127 for i in range(hidden)])
    offset = model.tensor((1,), 0.06 * 0.02, 0, [200], "int32")
    y = model.tensor((1, 1), 0.3, 5)
    model.add("FULLY_CONNECTED", [middle, last, offset], [y])
    return model.build(y)


def tiny_build(tmp_path: Path) -> Path:
    return compiled(tmp_path / "tiny", two_layers())
