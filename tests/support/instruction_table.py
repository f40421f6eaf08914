# SPDX-License-Identifier: Apache-2.0
"""The instructions of each layer as tests/instructions.json has them, against what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.layer_counts import differences, read_rows

RECORDED = Path(__file__).resolve().parent.parent / "instructions.json"


def assert_nothing_grew(model: str, board: str, layers: list[dict[str, Any]]) -> None:
    """Raises AssertionError naming the layers that grew by more than a percent, and the command to record them."""
    found = differences(read_rows(RECORDED), [{"model": model, "board": board, "layers": layers}])
    grown = [str(one) for one in found if one.grew]
    assert not grown, f"./tinyproof bench --record tests/instructions.json, if this is wanted: {grown}"
