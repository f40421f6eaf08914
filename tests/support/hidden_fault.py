# SPDX-License-Identifier: Apache-2.0
"""A network, and a fault in its generated C, of which no answer shows anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tflite_writer import Model
from tinyproof.core.manifest import read_manifest
from tinyproof.export.export import compile_model
from tinyproof.export.ops.fully_connected import FullyConnected


def cancelling_layers() -> bytes:
    """3 -> 4 -> 2. Each row of the last layer sums up to 0: what all hidden values have in common never shows."""
    model = Model()
    x = model.input((1, 3), 0.1, 3)
    hidden, y = model.tensor((1, 4), 0.5, 1), model.tensor((1, 2), 0.5, -2)
    model.add_dense(x, hidden, [[50, -20, 31], [7, 90, -60], [-44, 13, 70], [25, 25, -80]], 0.01, [10, -20, 30, 0])
    model.add_dense(hidden, y, [[40, -40, 21, -21], [-13, 60, -7, -40]], 0.01, [5, -9])
    return model.build(y)


def shift_hidden_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All by one, as if the exporter had got the zero point wrong."""
    right = FullyConnected.parameters

    def parameters(op: FullyConnected, prefix: str) -> dict[str, str]:
        numbers = right(op, prefix)
        if op.operator.index == 0:
            numbers["zero_point"] = str(int(numbers["zero_point"]) + 1)
        return numbers

    monkeypatch.setattr(FullyConnected, "parameters", parameters)
    compile_model(folder, read_manifest(folder))
