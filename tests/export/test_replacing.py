# SPDX-License-Identifier: Apache-2.0
"""What operators declare of outputs that begin where an input does, tried: each such input of every row's models."""

from __future__ import annotations

import dataclasses

import pytest
from support.op_cases import Case, plan_islands, run_natively
from support.op_rows import ROWS
from support.op_rows.binary import select_of
from support.op_table import draw, only_op

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import MemoryPlan

DRAWN = 12  # models of each row


def replaced(program: Program, number: int) -> MemoryPlan | None:
    """Everything apart, but the output at the begin of the `number`-th input that it may replace; None without one."""
    if len(program.ops) != 1 or program.branches:
        return None
    (op,) = program.ops
    fixed = {*program.initial, *program.roots}
    places = [index for index in op.replaceable if index not in fixed]
    if number >= len(places) or op.outputs[0] in fixed or len(set(op.inputs)) != len(op.inputs):
        return None
    plan = plan_islands(program)
    return dataclasses.replace(plan, offsets=plan.offsets | {op.outputs[0]: plan.offsets[places[number]]})


def assert_borne(cases: list[Case], number: int) -> None:
    """The answers are those with everything apart."""

    def plan(program: Program) -> MemoryPlan:
        found = replaced(program, number)
        assert found is not None
        return found

    pairs = zip(run_natively(cases, plan=plan), run_natively(cases, plan=plan_islands), strict=True)
    wrong = [case.label for case, (a, b) in zip(cases, pairs, strict=True) if a != b]
    assert not wrong, "\n".join(wrong)


@pytest.mark.nightly
@pytest.mark.parametrize(("number", "at_least"), [(0, 200), (1, 20)], ids=["first", "second"])
def test_an_output_may_begin_where_the_operator_says(number: int, at_least: int) -> None:
    cases = [case for row in ROWS for case in draw(row.cases, row.name, DRAWN)]
    cases = [case for case in cases if replaced(lower(read_graph(case.tflite)), number)]
    assert len(cases) > at_least
    assert_borne(cases, number)


@pytest.mark.parametrize("number", [0, 1])
def test_a_choice_may_lie_over_its_values_but_not_over_its_condition(number: int) -> None:
    """Where a value that is chosen is 0, it would read as a condition that does not hold."""
    tflite = select_of("int8")
    op = only_op(tflite)
    condition, *values = read_graph(tflite).inputs
    assert sorted(op.replaceable) == values
    inputs = tuple(
        bytes([*condition_bits, *first, *second])
        for condition_bits in ((1, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 0))
        for first, second in (((0, 0, 5), (7, 8, 9)), ((1, 2, 0), (0, 0, 3)))
    )
    assert_borne([Case("SELECT_V2", tflite, inputs)], number)
    assert condition not in op.replaceable
