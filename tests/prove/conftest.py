# SPDX-License-Identifier: Apache-2.0
"""A network with every kind of operator that something can be shown of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.compiled import compiled
from support.op_rows.convolution import Layer, add
from support.shared_builds import made_once
from support.tflite_writer import Model

CLASSES = 4


def everything() -> bytes:
    """conv, depthwise, pointwise conv, ADD, AVERAGE_POOL_2D, dense, SOFTMAX."""
    model = Model()
    x = model.input((1, 8, 8, 3), 0.05, -3)
    first = add(model, x, Layer((1, 8, 8, 3), units=8, strides=(2, 2), activation=1, y=(0.06, -128), seed=2))
    shape = (1, 4, 4, 8)
    second = add(model, first, Layer(shape, units=8, multiplier=1, x=(0.06, -128), y=(0.05, 4), seed=3))
    scales = tuple(0.002 + 0.0005 * unit for unit in range(8))
    pointwise = Layer(shape, (1, 1), units=8, x=(0.05, 4), y=(0.04, -7), weight_scales=scales, seed=4)
    third = add(model, second, pointwise)
    total = model.tensor(shape, 0.07, 2)
    model.add("ADD", [first, third], [total], fusedActivationFunction=0)
    pooled = model.tensor((1, 1, 1, 8), 0.07, 2)
    pool: dict[str, Any] = {"filterHeight": 4, "filterWidth": 4, "strideH": 4, "strideW": 4, "padding": 1}
    model.add("AVERAGE_POOL_2D", [total], [pooled], **pool, fusedActivationFunction=0)
    weights = model.tensor((CLASSES, 8), 0.02, 0, [(37 * i) % 255 - 127 for i in range(8 * CLASSES)])
    sums = model.tensor((1, CLASSES), 0.1, 0)
    model.add("FULLY_CONNECTED", [pooled, weights], [sums])
    y = model.tensor((1, CLASSES), 1 / 256, -128)
    model.add("SOFTMAX", [sums], [y], beta=1.0)
    return model.build(y)


@pytest.fixture(scope="session")
def whole_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its build folder, only to be read."""
    return made_once(tmp_path_factory, "prove", lambda root: compiled(root / "net", everything())) / "net"
