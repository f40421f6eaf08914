# SPDX-License-Identifier: Apache-2.0
"""The arena over time: who has which bytes at each step of an inference."""

from __future__ import annotations

from tinyproof.core.manifest import Manifest
from tinyproof.report.chart import Axis, Boxes, Figure, Mark

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
    plan = f"{memory.arena_bytes:,} B hold {memory.tensor_bytes:,} B of tensors"
    return [
        Figure(
            "memory-plan",
            "The arena over time",
            f"Bytes of the arena in use at each of {last} steps of an inference: {plan}.",
            f"{plan}, since bytes are used again. Where two overlap at a step, the kernel writes its output over "
            "the part of its input that it has read; a checker has replayed every byte of this plan.",
            Axis("step: an operator each", -0.5, last + 0.5),
            Axis("byte of the arena", 0.0, float(memory.arena_bytes)),
            marks,
        )
    ]
