# SPDX-License-Identifier: Apache-2.0
"""The C of operators that take turns: stripes that differ only in where they are become a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyproof.export.ops.base import RowPart
from tinyproof.export.ops.stripes import Rows, Stripes, Turn

if TYPE_CHECKING:
    from tinyproof.export.codegen import KernelPart
    from tinyproof.export.memory_planner import MemoryPlan

Places = list[list[int]]  # of each turn of a stripe, where it reads and writes in the arena


def stripe_lines(op: Stripes, number: int, parts: list[KernelPart], plan: MemoryPlan, shared: list[str]) -> list[str]:
    """`parts` are those of codegen.kernel_parts, in their order."""
    scratch = plan.scratch[number]
    forms = {(member, part): None for member, found in enumerate(op.parts) for part in found}
    by_form = dict(zip(forms, parts, strict=True))
    every = [_places(op, scratch, turns, plan) for turns in op.turns]
    lines: list[str] = []
    first = 0
    while first < len(op.turns):
        steps, count = _repeats(op, every, first)
        indent = "        " if count > 1 else "    "
        if count > 1:
            lines.append(f"    for (int32_t i = 0; i < {count}; i++) {{")
        for turn, at, step in zip(op.turns[first], every[first], steps, strict=True):
            arguments = [
                f"arena + {a}" + (f" + i * {b}" if b and count > 1 else "") for a, b in zip(at, step, strict=True)
            ]
            lines += _turn_lines(op, turn, arguments, by_form, f"arena + {scratch + op.buffers[-1]}", shared, indent)
        if count > 1:
            lines.append("    }")
        first += count
    return lines


def _turn_lines(
    op: Stripes,
    turn: Turn,
    arguments: list[str],
    by_form: dict[tuple[int, RowPart], KernelPart],
    work: str,
    shared: list[str],
    indent: str,
) -> list[str]:
    from tinyproof.export.codegen import call_lines

    if turn.part is None:
        read, write = arguments
        return [f"{indent}move_rows({write}, {read}, {turn.writes.count * op.row_bytes(turn.writes.tensor)});"]
    part = by_form[turn.member, turn.part]
    (call,) = part.calls
    at = {rows.tensor: place for rows, place in zip((*turn.reads, turn.writes), arguments, strict=True)}
    places = [at[tensor] for tensor in (*call.inputs, *call.outputs) if isinstance(tensor, int)]
    return call_lines(part, [places], work, shared, indent)


def _repeats(op: Stripes, every: list[Places], first: int) -> tuple[Places, int]:
    """By how much places move from one stripe to the next, and how many stripes from `first` on do so alike. `every`:
    the places of each stripe."""
    before, count = every[first], 1
    steps = [[0] * len(at) for at in before]
    for number in range(first + 1, len(op.turns)):
        if [turn.signature for turn in op.turns[number]] != [turn.signature for turn in op.turns[first]]:
            break
        after = every[number]
        moved = [[b - a for a, b in zip(x, y, strict=True)] for x, y in zip(before, after, strict=True)]
        if count > 1 and moved != steps:
            break
        steps, before, count = moved, after, count + 1
    return steps, count


def _places(op: Stripes, scratch: int, turns: list[Turn], plan: MemoryPlan) -> Places:
    def place(rows: Rows) -> int:
        if rows.tensor in op.buffers:
            return scratch + op.buffers[rows.tensor] + rows.offset
        return plan.offsets[rows.tensor] + rows.offset

    return [[place(rows) for rows in (*turn.reads, turn.writes)] for turn in turns]
