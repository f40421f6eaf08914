# SPDX-License-Identifier: Apache-2.0
"""Small sound models to mutate, so that mutants reach every operator's checks: one of each row of the operators' table,
and one by hand."""

from __future__ import annotations

import math
import random
from functools import cache
from pathlib import Path
from typing import Any

from support.op_rows import ROWS
from support.op_table import draw_seed
from support.tflite_writer import Model


def paired() -> bytes:
    """CONV_2D in pairs of channels (an odd number of them), DEPTHWISE_CONV_2D in fours, FULLY_CONNECTED in pairs."""
    source = random.Random(7)

    def weights(shape: tuple[int, ...], scale: float) -> int:
        return m.tensor(shape, scale, values=[source.randint(-127, 127) for _ in range(math.prod(shape))])

    m = Model()
    x = m.input((1, 5, 6, 4), 0.05, 3)
    strides: dict[str, Any] = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    deep = m.tensor((1, 5, 6, 4), 0.06, -128)
    m.add(
        *("DEPTHWISE_CONV_2D", [x, weights((1, 3, 3, 4), 0.01)], [deep], 3),
        **strides,
        depthMultiplier=1,
        fusedActivationFunction=1,
    )
    wide = m.tensor((1, 3, 4, 5), 0.2, 8)
    m.add("CONV_2D", [deep, weights((5, 3, 3, 4), 0.01), -1], [wide], 3, padding=1, **strides)
    conv = m.tensor((1, 3, 4, 6), 0.3, -2)
    m.add("CONV_2D", [wide, weights((6, 1, 1, 5), 0.02), -1], [conv], 3, **strides)
    y = m.tensor((1, 8), 0.9, 1)
    m.add("FULLY_CONNECTED", [conv, weights((8, 72), 0.01), -1], [y], 4)
    return m.build(y)


@cache
def make_seeds() -> dict[str, bytes]:
    """Each model by its name."""
    return {row.name: draw_seed(row) for row in ROWS} | {"paired": paired()}


def write_seeds(folder: Path) -> list[Path]:
    """All of them as files."""
    paths = []
    for name, tflite in make_seeds().items():
        paths.append(folder / f"{name}.tflite")
        paths[-1].write_bytes(tflite)
    return paths
