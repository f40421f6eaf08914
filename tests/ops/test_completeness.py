# SPDX-License-Identifier: Apache-2.0
"""An operator cannot come without its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.ops import ENDS, OPS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", sorted({*OPS, *ENDS}))
def test_every_operator_has_a_file_that_compares_it_with_tflite_micro(name: str) -> None:
    path = HERE / f"test_{name.lower()}.py"
    assert path.exists(), f"{name} is accepted by export/ops and has no tests/ops/{path.name}"
    text = path.read_text(encoding="utf-8")
    assert f'"""{name}' in text
    assert "= bit_exact(" in text, f"{path.name} compares nothing with TFLite Micro"
