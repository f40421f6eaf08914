# SPDX-License-Identifier: Apache-2.0
"""Operators that take turns by rows: the same bits in less RAM, and a checker that sees through them."""

from __future__ import annotations

import dataclasses
import re

import pytest
from support import op_cases
from support.image_nets import Net, mobile, residual, valid
from support.op_cases import Case, edge_inputs, run_natively

from tinyproof.core.errors import UsageError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.codegen import emit_source
from tinyproof.export.footprint import flash_use
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_checker import UnsoundPlanError, check_plan
from tinyproof.export.memory_planner import MemoryPlan, plan_memory
from tinyproof.export.ops.conv_pairs import Pairs
from tinyproof.export.ops.convolution import LaidOutConvolution
from tinyproof.export.ops.stripes import Stripes
from tinyproof.export.schedules import Schedules

NETS = {"mobile": mobile(), "residual": residual(), "valid": valid()}
HEIGHTS = (1, 3)
BY_DAY = {("mobile", "plain"), ("residual", "dsp")}


def in_stripes(program: Program, first: int, last: int, height: int) -> Program:
    stripes = Stripes(program.ops[first : last + 1], height)
    return dataclasses.replace(program, ops=(*program.ops[:first], stripes, *program.ops[last + 1 :]))


@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        pytest.param(name, kernels, marks=[] if (name, kernels) in BY_DAY else [pytest.mark.nightly])
        for name in NETS
        for kernels in ("plain", "dsp", "mve")
    ],
)
def test_the_bits_are_those_of_whole_images(name: str, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tflite = NETS[name]
    whole = lower(read_graph(tflite))
    count = len(whole.ops)
    inputs = edge_inputs(whole.inputs[0].bytes, 3, 1)
    chains = [(0, count - 1, height) for height in HEIGHTS] + [(1, count - 1, 1), (0, count - 2, 2)]
    programs = iter([in_stripes(lower(read_graph(tflite)), *chain) for chain in chains])
    monkeypatch.setattr(op_cases, "lower", lambda _: next(programs))

    def plan(program: Program) -> MemoryPlan:
        found = plan_memory(program)
        check_plan(program, found)
        return found

    cases = [Case(str(chain), tflite, inputs) for chain in chains]
    answers = run_natively(cases, kernels == "dsp", plan, mve=kernels == "mve")
    expected = Reference(tflite, "tflite-micro").run_batch(inputs)
    assert [case.label for case, given in zip(cases, answers, strict=True) if given != expected] == []


@pytest.mark.nightly
def test_members_of_stripes_do_without_their_strips_where_ram_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of 16 channels on 16 x 16, whose kernels' strips are more than what a budget leaves."""
    net = Net((16, 16, 16)).conv(16)
    x = net.end
    tflite = net.conv(16).conv(16).add(x).conv(4, stride=2).build()
    choices = Schedules(lower(read_graph(tflite))).choices
    smallest = choices[-1]
    assert smallest.cost <= choices[0].cost * 1.05
    strips = [
        (part.stripless, part.layout.strip)
        for op in smallest.program.ops
        if isinstance(op, Stripes)
        for parts in op.parts
        for part in parts.values()
        if isinstance(part, LaidOutConvolution) and isinstance(part.layout, Pairs)
    ]
    assert (True, 0) in strips
    check_plan(smallest.program, smallest.plan)
    inputs = edge_inputs(16 * 16 * 16, 3, 1)
    monkeypatch.setattr(op_cases, "lower", lambda _: smallest.program)
    (answers,) = run_natively([Case("smallest", tflite, inputs)], True, lambda _: smallest.plan)
    assert answers == Reference(tflite, "tflite-micro").run_batch(inputs)


def test_rows_between_exist_only_as_long_as_they_are_read() -> None:
    program = lower(read_graph(NETS["mobile"]))
    stripes = in_stripes(program, 0, 4, 1).ops[0]
    assert isinstance(stripes, Stripes)
    wide = program.ops[2].outputs[0]  # pointwise, under a depthwise kernel of three rows
    rows = {turn.writes.first for turns in stripes.turns for turn in turns if turn.writes.tensor == wide and turn.part}
    assert rows == set(range(7)), "each of its rows is made, and once"
    places = sorted(stripes.buffers.values())
    start = stripes.buffers[wide]
    assert places[places.index(start) + 1] - start == 3 * stripes.row_bytes(wide)
    assert stripes.macs == program.macs


def test_stripes_that_differ_in_their_places_alone_are_a_loop() -> None:
    program = in_stripes(lower(read_graph(NETS["mobile"])), 2, 3, 1)
    source = emit_source(program, plan_memory(program), "0" * 16)
    loops = [int(count) for count in re.findall(r"for \(int32_t i = 0; i < (\d+); i\+\+\)", source)]
    assert loops == [2], "of four stripes the first and the last have other rows"
    assert source.count("move_rows(arena") >= 2


@pytest.mark.parametrize("closer", [1, 40])
def test_a_row_that_is_overwritten_too_early_is_caught(closer: int) -> None:
    """Of three rows between, the buffer gets fewer bytes than they take."""
    program = in_stripes(lower(read_graph(NETS["mobile"])), 0, 4, 1)
    plan, stripes = plan_memory(program), program.ops[0]
    assert isinstance(stripes, Stripes)
    check_plan(program, plan)
    second = sorted(stripes.buffers.items(), key=lambda item: item[1])[1][0]
    stripes.buffers[second] -= closer
    with pytest.raises(UnsoundPlanError, match="stripe"):
        check_plan(program, plan)


def test_an_output_in_stripes_that_overtakes_its_input_is_caught() -> None:
    program = in_stripes(lower(read_graph(NETS["residual"])), 1, 3, 1)
    plan, stripes = plan_memory(program), program.ops[1]
    x, y = stripes.inputs[0], stripes.outputs[0]
    assert stripes.distance == 0, "the sum replaces x row by row"
    arena = plan.arena_bytes + 200
    planted = dataclasses.replace(plan, arena_bytes=arena, offsets=plan.offsets | {y: plan.offsets[x] + 1})
    with pytest.raises(UnsoundPlanError, match="operator 1"):
        check_plan(program, planted)


def test_a_larger_budget_never_costs_more() -> None:
    schedules = Schedules(lower(read_graph(NETS["residual"])))
    choices = schedules.choices
    assert len(choices) > 2
    sizes = [choice.plan.arena_bytes for choice in choices]
    costs = [choice.cost for choice in choices]
    assert sizes == sorted(sizes, reverse=True)
    assert costs == sorted(costs)
    for budget in range(sizes[-1], sizes[0] + 3, 7):
        found = schedules.fitting(budget)
        assert found.plan.arena_bytes <= budget
        assert found.cost == min(cost for size, cost in zip(sizes, costs, strict=True) if size <= budget)
    assert schedules.fitting("min").plan.arena_bytes == sizes[-1]
    assert schedules.fitting("small").cost <= 1.05 * costs[0]
    with pytest.raises(UsageError, match=f"the smallest takes {sizes[-1]:,} B"):
        schedules.fitting(sizes[-1] - 1)


def test_the_same_model_gets_the_same_plan() -> None:
    first, second = (Schedules(lower(read_graph(NETS["residual"]))).fitting("min") for _ in range(2))
    assert first.plan == second.plan
    sources = [emit_source(choice.program, choice.plan, "0" * 16) for choice in (first, second)]
    assert sources[0] == sources[1]


def test_the_flash_of_stripes_is_that_of_what_they_call() -> None:
    whole = lower(read_graph(NETS["residual"]))
    tables, code = flash_use(whole)
    striped_tables, striped_code = flash_use(in_stripes(whole, 0, len(whole.ops) - 1, 1))
    assert striped_tables == tables
    assert striped_code > code, "the same kernels, with more calls"
