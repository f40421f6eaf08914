# SPDX-License-Identifier: Apache-2.0
"""Every row of the operators' table against TFLite Micro, natively and where it says so with the DSP kernels."""

from __future__ import annotations

import pytest
from support import effort
from support.op_rows import REFUSALS, ROWS
from support.op_table import EXAMPLES, Refusal, Row, assert_refused, deal_out, prove_together

SECONDS = 300 + 10 * EXAMPLES  # of one row, on a busy machine
TABLE = deal_out(ROWS)
PROVEN: dict[tuple[str, ...], bool] = {}  # rows that share programs -> whether these are right


@pytest.fixture
def shared_programs_are_right(request: pytest.FixtureRequest, shared: int, row: Row) -> bool:
    """Of the row and those of the tests that run today which it is proven with by day."""
    running = {item.name.partition("[")[2] for item in request.session.items}
    rows = [row for number, row in TABLE if number == shared and f"{name_of(shared, row)}]" in running]
    assert row in rows
    if effort.nightly or len(rows) == 1:
        return False
    names = tuple(row.name for row in rows)
    if names not in PROVEN:
        try:
            prove_together(rows)
            PROVEN[names] = True
        except AssertionError:
            PROVEN[names] = False
    return PROVEN[names]


def name_of(shared: int, row: Row) -> str:
    return f"{shared}-{row.name}"


# tests/conftest.py reads the number in the name: one worker takes all that have the same.
@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(("shared", "row"), [pytest.param(*entry, id=name_of(*entry)) for entry in TABLE])
def test_is_bit_exact(row: Row, shared_programs_are_right: bool) -> None:
    if not shared_programs_are_right:  # which row's fault it is shows where each has its own
        prove_together([row])


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_refuses(refusal: Refusal) -> None:
    assert_refused(refusal.operator, refusal.tflite, refusal.says)
