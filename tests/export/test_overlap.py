# SPDX-License-Identifier: Apache-2.0
"""What operators declare of overlaps, tried: every form of a kernel at the smallest distance that it should bear."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from functools import cache

import pytest
from support import effort
from support.cortex_m4 import M4, M55, Core, count_instructions
from support.op_cases import BLOCKED_KERNELS, Case, plan_islands, run_natively
from support.op_rows.convolution import SAME, VALID, Layer, build
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_checker import UnsoundPlanError, check_plan
from tinyproof.export.memory_planner import MemoryPlan, plan_memory
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.conv_planes import Planes
from tinyproof.export.ops.convolution import LaidOutConvolution
from tinyproof.export.ops.depthwise_conv_2d import DepthwiseConv2D

INT16 = {"types": ("int16", "int8", "int64"), "x": (0.001, 0), "y": (0.002, 0)}


# Images and kernels of depthwise layers that kernels take channel by channel, the last ones in several strips.
SMALL_DEPTHWISE = [
    ((1, 25, 5, 64), (3, 3)),
    ((1, 5, 25, 12), (3, 3)),
    ((1, 9, 9, 16), (5, 5)),
    ((1, 7, 12, 33), (3, 1)),
    ((1, 12, 4, 20), (1, 5)),
    ((1, 16, 4, 7), (5, 3)),
    ((1, 11, 10, 16), (3, 3)),
    ((1, 10, 3, 9), (5, 1)),
    ((1, 14, 9, 17), (2, 2)),
    ((1, 40, 30, 5), (3, 3)),
    ((1, 44, 25, 9), (5, 3)),
]


def small_layers() -> Iterator[Layer]:
    """All that decides an order: strides, paddings, kernels that reach back, channels that grow or shrink."""
    seeds = itertools.count(1)
    for kernel, stride, padding in itertools.product([(1, 1), (3, 3), (2, 3)], [1, 2], [SAME, VALID]):
        common = Layer((1, 6, 5, 8), kernel, 8, strides=(stride, stride), padding=padding, y=(0.05, -3))
        for channels, units in ((8, 8), (4, 16), (12, 5), (3, 7)):
            yield dataclasses.replace(common, shape=(1, 6, 5, channels), units=units, seed=next(seeds))
        for channels, multiplier in ((8, 1), (20, 1), (5, 1), (3, 2)):
            units = channels * multiplier
            layer = dataclasses.replace(common, shape=(1, 6, 5, channels), units=units, multiplier=multiplier)
            yield dataclasses.replace(layer, seed=next(seeds))
        for multiplier in (0, 1):
            yield dataclasses.replace(common, multiplier=multiplier, seed=next(seeds), **INT16)  # type: ignore[arg-type]
    yield Layer((1, 9, 9, 8), dilations=(2, 2), units=8, multiplier=1, y=(0.05, -3))
    yield Layer((1, 9, 9, 3), dilations=(2, 2), units=3, multiplier=1, y=(0.05, -3))
    yield Layer((1, 13, 13, 4), units=4, multiplier=1, y=(0.05, -3))
    yield Layer((1, 3, 40, 5), units=5, multiplier=1, y=(0.05, -3))
    yield Layer((1, 40, 3, 5), units=5, multiplier=1, y=(0.05, -3))
    yield Layer((1, 23, 1, 6), kernel=(5, 1), units=9, y=(0.05, -3))
    for number, (shape, kernel) in enumerate(SMALL_DEPTHWISE):
        yield Layer(shape, kernel, shape[3], multiplier=1, y=(0.05, -3), seed=100 + number)
    # Strides whose strips begin small.
    for number, (shape, kernel) in enumerate([((1, 30, 64, 3), (3, 3)), ((1, 60, 60, 2), (5, 5))]):
        yield Layer(shape, kernel, shape[3], strides=(2, 2), multiplier=1, y=(0.05, -3), seed=120 + number)
    yield Layer((1, 6, 5, 32), (1, 1), 32, y=(0.05, -3), seed=130)
    yield Layer((1, 5, 5, 32), (1, 1), 20, y=(0.05, -3), seed=131)


def distance_of(program: Program) -> int:
    (op,) = program.ops
    assert op.distance is not None
    return op.distance


def at_distance(program: Program, closer: int = 0) -> MemoryPlan:
    """Output at the begin of the arena, and the input as near behind it as the operator says, or `closer`."""
    (op,) = program.ops
    x, y = program.inputs[0], program.outputs[0]
    place = max(0, -(-distance_of(program) // 4) * 4 - closer)
    behind = -(-max(place + x.bytes, y.bytes) // 4) * 4
    scratch = {0: behind} if op.working_bytes else {}
    return MemoryPlan(behind + op.working_bytes, {x.index: place, y.index: 0}, x.bytes + y.bytes, scratch)


@cache
def case_operators() -> list[tuple[Case, Op]]:
    found = []
    for layer in small_layers():
        tflite = build(layer)
        (op,) = lower(read_graph(tflite)).ops
        found.append((Case(str(layer), tflite, layer.edges(1)), op))
    return found


def overlapping_cases() -> list[Case]:
    cases = [case for case, op in case_operators() if op.distance is not None]
    assert len(cases) > 100
    return cases


def on_top(program: Program) -> MemoryPlan:
    """Output where the input is."""
    (op,) = program.ops
    x, y = program.inputs[0], program.outputs[0]
    behind = -(-x.bytes // 4) * 4
    plan = MemoryPlan(behind + op.working_bytes, {x.index: 0, y.index: 0}, x.bytes + y.bytes, {0: behind})
    check_plan(program, plan)
    return plan


def cases_in_place() -> list[Case]:
    return [case for case, op in case_operators() if op.in_place]


AT_NIGHT = [pytest.param(kernels, marks=pytest.mark.nightly) for kernels in ("blocked", "mve")]


@pytest.mark.parametrize("kernels", ["plain", "dsp", *AT_NIGHT])
def test_every_kernel_bears_the_distance_that_it_declares(kernels: str) -> None:
    cases = overlapping_cases()[:: 1 if effort.nightly else 3]
    dsp, mve, folders = kernels == "dsp", kernels == "mve", [BLOCKED_KERNELS] if kernels == "blocked" else []
    tight = run_natively(cases, dsp, at_distance, folders, mve=mve)
    apart = run_natively(cases, dsp, plan_islands, folders, mve=mve)
    wrong = [case.label for case, a, b in zip(cases, tight, apart, strict=True) if a != b]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("core", [M4, M55], ids=["cortex-m4", "cortex-m55"])
def test_boards_bear_it_too(core: Core) -> None:
    """Each answer is compared with TFLite Micro's."""
    counted = count_instructions(overlapping_cases()[:: 1 if core is M55 and effort.nightly else 3], core, at_distance)
    assert min(counted) > 0 or core is M55


@pytest.mark.parametrize("kernels", ["plain", "blocked", "dsp"])
def test_every_kernel_bears_its_output_in_its_inputs_place(kernels: str) -> None:
    cases, dsp, folders = cases_in_place(), kernels == "dsp", [BLOCKED_KERNELS] if kernels == "blocked" else []
    layouts = [op.layout for _, op in case_operators() if isinstance(op, LaidOutConvolution) and op.in_place]
    assert len(cases) == len(layouts) > 10
    assert {len(layout.strips) > 1 for layout in layouts if isinstance(layout, Planes)} == {False, True}
    for case, answers in zip(cases, run_natively(cases, dsp, on_top, folders), strict=True):
        assert answers == Reference(case.tflite, "tflite-micro").run_batch(case.inputs), case.label


def test_a_core_with_vectors_bears_it_too() -> None:
    cases = cases_in_place()
    forms = [form for case in cases if (form := lower(read_graph(case.tflite)).ops[0].mve)]
    assert {form.members["strip"] != "0" for form in forms} == {False, True}, "rows with and without borders"
    count_instructions(cases, M55, on_top)
    for case, answers in zip(cases, run_natively(cases, plan=on_top, mve=True), strict=True):
        assert answers == Reference(case.tflite, "tflite-micro").run_batch(case.inputs), case.label


def stripless(program: Program) -> Program:
    """A layer without its copy of the input under a row of the output."""
    (op,) = program.ops
    found = op.without_strip() if isinstance(op, LaidOutConvolution) else None
    return dataclasses.replace(program, ops=(found or op,))


@pytest.mark.parametrize("board", [False, pytest.param(True, marks=pytest.mark.nightly)], ids=["dsp", "cortex-m4"])
def test_layers_without_a_strip_answer_the_same_as_near(monkeypatch: pytest.MonkeyPatch, board: bool) -> None:
    cases = [case for case in overlapping_cases() if stripless(program := lower(read_graph(case.tflite))) != program]
    assert len(cases) > 10
    for case in cases:
        (whole,), (op,) = (shape(lower(read_graph(case.tflite))).ops for shape in (lambda same: same, stripless))
        assert op.scratch_bytes < whole.scratch_bytes
    for module in ("support.op_cases", "support.cortex_m4"):
        monkeypatch.setattr(f"{module}.lower", lambda graph: stripless(lower(graph)))
    if board:  # which compares with TFLite Micro
        assert min(count_instructions(cases[::3], M4, at_distance)) > 0
        return
    for case, answers in zip(cases, run_natively(cases, True, at_distance), strict=True):
        assert answers == Reference(case.tflite, "tflite-micro").run_batch(case.inputs), case.label


@pytest.mark.nightly
def test_a_nearer_one_breaks_some_kernel_or_other() -> None:
    """Else the declared distances would say nothing."""
    cases = [case for case in overlapping_cases() if distance_of(lower(read_graph(case.tflite))) > 8]
    apart = run_natively(cases, plan=plan_islands)
    nearer = run_natively(cases, plan=lambda program: at_distance(program, closer=8))
    differing = sum(a != b for a, b in zip(apart, nearer, strict=True))
    assert differing >= 10


def test_a_strided_layer_needs_few_rows_before_its_input() -> None:
    cases = [(case, op) for case, op in case_operators() if isinstance(op, DepthwiseConv2D)]
    strided = [op for _, op in cases if isinstance(op.layout, Planes) and op.layout.growth and not op.quads]
    assert len(strided) > 1
    for op in strided:
        assert op.distance is not None
        assert op.distance <= 3 * op.out_width * op.channels_out


def test_the_checker_agrees_with_the_declared_distance_to_the_byte() -> None:
    for case in overlapping_cases():
        program = lower(read_graph(case.tflite))
        x, y = program.inputs[0], program.outputs[0]
        plan, distance = at_distance(program), distance_of(program)
        check_plan(program, plan)
        if 0 < distance < y.bytes:
            check_plan(program, dataclasses.replace(plan, offsets={x.index: distance, y.index: 0}))
            with pytest.raises(UnsoundPlanError, match="still to be read"):
                check_plan(program, dataclasses.replace(plan, offsets={x.index: distance - 1, y.index: 0}))


def chain() -> Program:
    """Two layers, and a sum with what the first one read."""
    model = Model()
    x = model.input((1, 4, 4, 4), 0.1)
    a, total = model.tensor((1, 4, 4, 4), 0.1), model.tensor((1, 4, 4, 4), 0.2)
    model.add("RELU", [x], [a])
    model.add("ADD", [x, a], [total], fusedActivationFunction=0)
    return lower(read_graph(model.build(total)))


def test_a_planted_overlap_of_one_byte_is_caught() -> None:
    program = chain()
    plan = plan_memory(program)
    check_plan(program, plan)
    x, a = program.inputs[0].index, program.ops[0].outputs[0]
    assert abs(plan.offsets[x] - plan.offsets[a]) == 64
    lower_one, upper_one = sorted((x, a), key=plan.offsets.__getitem__)
    planted = dataclasses.replace(plan, offsets=plan.offsets | {upper_one: plan.offsets[lower_one] + 63})
    with pytest.raises(UnsoundPlanError, match="operator 0"):
        check_plan(program, planted)


def test_scratch_that_reaches_one_byte_into_a_tensor_is_caught() -> None:
    layer = Layer((1, 5, 5, 8), units=8)
    program = lower(read_graph(build(layer)))
    plan = plan_memory(program)
    check_plan(program, plan)
    (start,), y = plan.scratch.values(), program.outputs[0]
    end = plan.offsets[y.index] + math.prod(y.shape)
    assert start >= end
    with pytest.raises(UnsoundPlanError, match="works in bytes of tensor"):
        check_plan(program, dataclasses.replace(plan, scratch={0: end - 1}))


def test_an_arena_that_is_a_byte_short_is_caught() -> None:
    program = chain()
    plan = plan_memory(program)
    with pytest.raises(UnsoundPlanError, match="leaves the arena"):
        check_plan(program, dataclasses.replace(plan, arena_bytes=plan.arena_bytes - 1))
