# SPDX-License-Identifier: Apache-2.0
"""Memory plans in which a tensor lies where another one is still needed."""

from __future__ import annotations

import dataclasses
import random

from tinyproof.export.lowering import Program
from tinyproof.export.memory_checker import UnsoundPlanError, check_plan
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.base import alignment

TRIES = 8  # for each that is wanted: many places harm nobody


def overlapping_plans(
    program: Program, plan: MemoryPlan, count: int, source: random.Random
) -> list[tuple[str, MemoryPlan]]:
    """Up to `count` plans in which one tensor, with all that lies in it, or an operator's scratch, begins where it must
    not: the checker of plans finds them unsound. With each what was moved, in words."""
    tensors = program.graph.tensors
    fixed = {tensor.index for tensor in (*program.inputs, *program.outputs)}
    movable = sorted(index for index in plan.offsets if program.roots.get(index, (index, 0))[0] == index)
    movable = [index for index in movable if index not in fixed and tensors[index].bytes]
    found: dict[str, MemoryPlan] = {}
    for _ in range(TRIES * count if movable else 0):
        if len(found) == count:
            break
        index = source.choice(movable)
        size = tensors[index].bytes
        step = alignment(size)
        at = source.randrange(0, max(1, plan.arena_bytes - size + 1), step)
        moved = {
            other: at + start
            for other, (root, start) in program.roots.items()
            if root == index and other in plan.offsets
        }
        changed = dataclasses.replace(plan, offsets=plan.offsets | moved | {index: at})
        try:
            check_plan(program, changed, any_form=True)
        except UnsoundPlanError:
            found[f"tensor {index} at byte {at} instead of {plan.offsets[index]}"] = changed
    return list(found.items())
