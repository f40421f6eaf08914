# SPDX-License-Identifier: Apache-2.0
"""Every row of the operators' table against TFLite Micro, natively and where it says so with the DSP kernels."""

from __future__ import annotations

import pytest
from support import effort
from support.op_rows import REFUSALS, ROWS
from support.op_table import EXAMPLES, Refusal, Row, assert_refused, deal_out, prove_together

SECONDS = 300 + 10 * EXAMPLES  # of one row, on a busy machine
PROVEN: dict[tuple[str, ...], bool] = {}  # rows that share programs -> whether these are right


@pytest.fixture
def shared_programs_are_right(request: pytest.FixtureRequest, shared: int) -> bool:
    """Of the row and those of the tests that run today which it is proven with by day."""
    rows = {
        item.callspec.params["row"].name: item.callspec.params["row"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
        and item.callspec.params.get("shared") == shared
    }
    if effort.nightly or len(rows) == 1:
        return False
    names = tuple(rows)
    if names not in PROVEN:
        try:
            prove_together(list(rows.values()))
            PROVEN[names] = True
        except AssertionError:
            PROVEN[names] = False
    return PROVEN[names]


# tests/conftest.py reads the number in the name: one worker takes all that have the same.
@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(
    ("shared", "row"), [pytest.param(shared, row, id=f"{shared}-{row.name}") for shared, row in deal_out(ROWS)]
)
def test_is_bit_exact(row: Row, shared_programs_are_right: bool) -> None:
    if not shared_programs_are_right:  # which row's fault it is shows where each has its own
        prove_together([row])


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_refuses(refusal: Refusal) -> None:
    assert_refused(refusal.operator, refusal.tflite, refusal.says)
