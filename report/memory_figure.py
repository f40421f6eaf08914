# SPDX-License-Identifier: Apache-2.0
"""The arena over time: who has which bytes at each step of an inference."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.core.manifest import Manifest, MemoryUse, PlannedBytes
from tinyproof.report.chart import Axis, Boxes, Figure, Mark, Segments

USES = {"input": ("data", "input"), "tensor": ("model", "between operators"), "scratch": ("warm", "kernels work in")}
USES |= {"state": ("target", "lives on")}


def memory_figures(manifest: Manifest) -> list[Figure]:
    """One, where there is a plan with more than a byte."""
    memory = manifest.memory
    if memory is None or not memory.plan or memory.arena_bytes < 2:
        return []
    last = max(span.last for span in memory.plan)
    marks: list[Mark] = []
    for use, (role, label) in USES.items():
        boxes = [
            (span.first - 0.5, float(span.offset), span.last + 0.5, float(span.offset + span.bytes))
            for span in memory.plan
            if span.use == use
        ]
        if boxes:
            marks.append(Boxes(boxes, role, label))
    step, used = peak(memory.plan)
    sides = [((side, 0.0), (side, float(memory.arena_bytes))) for side in (step - 0.5, step + 0.5)]
    marks.append(Segments(sides, "error", f"the peak: {used:,} B", 2.4))
    at = f"Most is in use at step {step}{_operator_at(memory, step)}: {used:,} B."
    again = ", since bytes are used again" if memory.tensor_bytes > memory.arena_bytes else " and what kernels work in"
    plan = f"{memory.arena_bytes:,} B hold {memory.tensor_bytes:,} B of tensors"
    return [
        Figure(
            "memory-plan",
            "The arena over time",
            f"Bytes of the arena in use at each of {last} steps of an inference: {plan}. {at}",
            f"{at} {plan}{again}. Where two overlap at a step, the kernel writes its output over "
            "the part of its input that it has read; a checker has replayed every byte of this plan.",
            Axis("step: an operator each", -0.5, last + 0.5),
            Axis("byte of the arena", 0.0, float(memory.arena_bytes)),
            marks,
        )
    ]


def peak(plan: Sequence[PlannedBytes]) -> tuple[int, int]:
    """(step, bytes) where most of the arena is in use, the first such step; bytes that two have at once count once."""
    used = {step: _used(plan, step) for step in range(max(span.last for span in plan) + 1)}
    step = max(used, key=lambda each: used[each])
    return step, used[step]


def _used(plan: Sequence[PlannedBytes], step: int) -> int:
    end = count = 0
    for span in sorted((span for span in plan if span.first <= step <= span.last), key=lambda span: span.offset):
        count += max(0, span.offset + span.bytes - max(end, span.offset))
        end = max(end, span.offset + span.bytes)
    return count


def _operator_at(memory: MemoryUse, step: int) -> str:
    """Which operator runs at a step, behind a comma; empty where operators take turns, and a step has several."""
    one_each = len(memory.operators) + 1 == max(span.last for span in memory.plan)
    return f", {memory.operators[step - 1]}" if one_each and 0 < step <= len(memory.operators) else ""
