# SPDX-License-Identifier: Apache-2.0
"""Every row of the operators' table against TFLite Micro, natively and where it says so with the DSP kernels."""

from __future__ import annotations

import pytest
from support.op_rows import REFUSALS, ROWS
from support.op_table import EXAMPLES, Refusal, Row, assert_refused, draw_programs

SECONDS = 300 + 10 * EXAMPLES  # of one row, on a busy machine


@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_is_bit_exact(row: Row) -> None:
    for cases in draw_programs(row):
        row.prove(cases)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_refuses(refusal: Refusal) -> None:
    assert_refused(refusal.operator, refusal.tflite, refusal.says)
