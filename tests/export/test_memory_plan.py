# SPDX-License-Identifier: Apache-2.0
"""The memory plan: what is alive together never overlaps, and a chain needs no more than its hungriest step."""

from __future__ import annotations

import itertools
import random

import pytest
from support.tflite_writer import Model, dense_network

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import MemoryPlan, plan_memory


def live_steps(program: Program) -> dict[int, tuple[int, int]]:
    """Tensor -> first and last step at which its bytes matter, straight from the definition."""
    born = {program.inputs[0].index: 0}
    dies = {program.inputs[0].index: 0}
    for step, op in enumerate(program.ops, start=1):
        born |= dict.fromkeys(op.outputs, step)
        dies |= dict.fromkeys((*op.inputs, *op.outputs), step)
    dies[program.outputs[0].index] = len(program.ops) + 1
    return {index: (born[index], dies[index]) for index in born}


@pytest.mark.parametrize("seed", range(20))
def test_tensors_alive_together_do_not_overlap(seed: int) -> None:
    r = random.Random(seed)
    widths = [r.choice([1, 2, 3, 5, 16, 40]) for _ in range(r.randint(2, 9))]
    program = lower(read_graph(dense_network(seed, widths)), keep_dead=True)  # some would be constants
    plan = plan_memory(program)
    alive = live_steps(program)
    for a, b in itertools.combinations(alive, 2):
        first, last = max(alive[a][0], alive[b][0]), min(alive[a][1], alive[b][1])
        size_a, size_b = program.graph.tensors[a].elements, program.graph.tensors[b].elements
        apart = plan.offsets[a] + size_a <= plan.offsets[b] or plan.offsets[b] + size_b <= plan.offsets[a]
        handed_over = first == last and any(
            op.in_place and {a, b} == {op.inputs[0], op.outputs[0]} for op in program.ops[first - 1 : first]
        )
        assert first > last or apart or handed_over
    ends = [plan.offsets[i] + program.graph.tensors[i].elements for i in alive]
    for number, offset in plan.scratch.items():
        end = offset + program.ops[number].scratch_bytes
        for i in (i for i, (first, last) in alive.items() if first <= number + 1 <= last):
            assert end <= plan.offsets[i] or plan.offsets[i] + program.graph.tensors[i].elements <= offset
        ends.append(end)
    assert plan.arena_bytes == max(ends)
    hungriest = max(
        a + b + op.scratch_bytes for (a, b), op in zip(itertools.pairwise(widths), program.ops, strict=True)
    )
    assert plan.arena_bytes <= hungriest + 3 * 3, "more than input, output and scratch of a step, and their alignment"
    assert all(plan.offsets[i] % 4 == 0 for i in alive if program.graph.tensors[i].elements >= 4)


def read_twice(name: str) -> tuple[MemoryPlan, int, int, int]:
    """A plan for x, y = name(x), z = RELU(y), x + z: x is read again after what was made of it was overwritten."""
    model = Model()
    x = model.input((1, 4), 0.1)
    y, z = (model.tensor((1, 4), 0.1) for _ in range(2))
    total = model.tensor((1, 4), 0.2)
    model.add(name, [x], [y])
    model.add("RELU", [y], [z])
    model.add("ADD", [x, z], [total], fusedActivationFunction=0)
    plan = plan_memory(lower(read_graph(model.build(total))))
    return plan, x, y, z


def test_a_tensor_read_twice_outlives_an_operator_in_place() -> None:
    plan, x, y, z = read_twice("RELU")
    assert plan.offsets[y] != plan.offsets[x]
    assert plan.offsets[z] == plan.offsets[y]


def test_what_no_kernel_moves_stays_where_it_is_until_all_its_names_were_read() -> None:
    plan, x, y, z = read_twice("RESHAPE")
    assert plan.offsets[y] == plan.offsets[x], "nothing copies x to y"
    assert plan.offsets[z] != plan.offsets[y], "x is read later, so the RELU of its alias must not overwrite it"


def test_what_nobody_reads_is_not_computed() -> None:
    model = Model()
    x = model.input((1, 4), 0.1)
    unread, y = model.tensor((4, 1), 0.1), model.tensor((1, 4), 0.1)
    model.add("RESHAPE", [x], [unread], newShape=[4, 1])
    model.add_dense(x, y, [[1, 2, 3, 4]] * 4, 0.1)
    program = lower(read_graph(model.build(y)))
    assert [op.operator.name for op in program.ops] == ["FULLY_CONNECTED"]
    assert unread not in plan_memory(program).offsets


def test_one_neuron_needs_one_byte() -> None:
    plan = plan_memory(lower(read_graph(dense_network(1, [1, 1]))))
    assert plan.arena_bytes == 1
