# SPDX-License-Identifier: Apache-2.0
"""Dense layers that read their input where it lies: the same bits as with a widened copy, and nothing to work in."""

from __future__ import annotations

import dataclasses
import random

import pytest
from support import op_cases
from support.cortex_m4 import M4, M55, Core, count_instructions
from support.op_cases import Case, edge_inputs, run_natively
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import plan_memory
from tinyproof.export.ops.fully_connected import QUADS, FullyConnected
from tinyproof.export.schedules import Schedules


def dense(
    depth: int, units: int, scale: float, *, low: int = -127, activation: int = 0, per_unit: bool = False
) -> bytes:
    model, r = Model(), random.Random(depth + units)
    x, y = model.input((1, depth), 0.05, -7), model.tensor((1, units), scale, 5)
    weights = [[r.randint(low, 127) for _ in range(depth)] for _ in range(units)]
    biases = [r.randint(-5000, 5000) for _ in range(units)]
    scales = [0.01 * (1 + unit % 3) for unit in range(units)] if per_unit else 0.01
    model.add_dense(x, y, weights, scales, biases, fusedActivationFunction=activation)
    return model.build(y)


CASES = {
    "numbers": dense(64, 12, 0.4),
    "bytes": dense(32, 16, 0.4, low=-128),  # 256 b + a below -2^15 in some
    "large sums": dense(1024, 4, 3.0),
    "per unit": dense(48, 16, 0.9, per_unit=True),
    "shifted to the left": dense(32, 16, 0.0001),
    "some shifted to the left": dense(32, 20, 0.0008, per_unit=True),
    "clamped": dense(16, 32, 0.05, activation=1),
}


def narrowed(program: Program) -> Program:
    """Every dense layer in its narrow form, which a long one of few units has anyway."""
    ops = tuple(op.narrow() or op for op in program.ops if isinstance(op, FullyConnected))
    assert [op.kernel for op in ops] == [QUADS]
    return dataclasses.replace(program, ops=ops)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Cases, whose programs have the narrow kernel from now on."""
    monkeypatch.setattr(op_cases, "lower", lambda graph: narrowed(lower(graph)))
    monkeypatch.setattr("support.cortex_m4.lower", lambda graph: narrowed(lower(graph)))
    cases = []
    for label, tflite in CASES.items():
        count = lower(read_graph(tflite)).inputs[0].bytes
        cases.append(Case(label, tflite, edge_inputs(count, 5, 3)))
    return cases


@pytest.mark.parametrize("dsp", [False, True], ids=["plain", "dsp"])
def test_the_bits_are_tflite_micros(narrow: list[Case], dsp: bool) -> None:
    answers = run_natively(narrow, dsp)
    for case, given in zip(narrow, answers, strict=True):
        assert given == Reference(case.tflite, "tflite-micro").run_batch(case.inputs), case.label


@pytest.mark.parametrize("core", [M4, M55], ids=["cortex-m4", "cortex-m55"])
def test_boards_answer_the_same(narrow: list[Case], core: Core) -> None:
    assert len(count_instructions(narrow, core, plan_memory)) == len(CASES)


def test_an_autoencoder_takes_no_more_than_its_widest_step() -> None:
    model, r = Model(), random.Random(1)
    end = model.input((1, 640), 0.05, 0)
    for depth, units in ((640, 128), (128, 8), (8, 128), (128, 640)):
        y = model.tensor((1, units), 0.5, 0)
        model.add_dense(end, y, [[r.randint(-9, 9) for _ in range(depth)] for _ in range(units)], 0.01)
        end = y
    schedules = Schedules(lower(read_graph(model.build(end))))
    assert schedules.fastest.plan.arena_bytes == 640 + 128 + 1280
    assert schedules.fitting("min").plan.arena_bytes == 640 + 128


def test_layers_that_do_not_fit_keep_their_kernel() -> None:
    for depth, units in ((60, 12), (64, 10)):
        (op,) = lower(read_graph(dense(depth, units, 0.4))).ops
        assert isinstance(op, FullyConnected)
        assert op.narrow() is None


@pytest.mark.parametrize("dsp", [False, True], ids=["plain", "dsp"])
def test_depthwise_layers_go_pixel_by_pixel_where_ram_is_short(monkeypatch: pytest.MonkeyPatch, dsp: bool) -> None:
    """Two that are alike, for which planes are faster: one of them alone would take no peak away."""
    model, r = Model(), random.Random(2)
    end = model.input((1, 25, 5, 64), 0.05, -3)
    for _ in range(2):
        y = model.tensor((1, 25, 5, 64), 0.3, -3)
        weights = model.tensor((1, 3, 3, 64), 0.01, 0, [r.randint(-127, 127) for _ in range(9 * 64)], "int8")
        bias = model.tensor((64,), 0.0005, 0, [r.randint(-500, 500) for _ in range(64)], "int32")
        model.add("DEPTHWISE_CONV_2D", [end, weights, bias], [y], padding=0, strideH=1, strideW=1, depthMultiplier=1)
        end = y
    tflite = model.build(end)
    schedules = Schedules(lower(read_graph(tflite)))
    fastest, narrow = schedules.choices[:2]
    assert [op.kernel for op in fastest.program.ops] == ["conv_planes_s8"] * 2
    assert [op.kernel for op in narrow.program.ops if op.kernel != "move_up"] == ["depthwise_quads_s8"] * 2
    in_place = 25 * 5 * 64 + max(op.working_bytes for op in fastest.program.ops)
    assert narrow.plan.arena_bytes < fastest.plan.arena_bytes == in_place
    monkeypatch.setattr(op_cases, "lower", lambda graph: narrow.program)
    inputs = edge_inputs(25 * 5 * 64, 3, 1)
    (answers,) = run_natively([Case("depthwise", tflite, inputs)], dsp, lambda program: narrow.plan)
    assert answers == Reference(tflite, "tflite-micro").run_batch(inputs)
