# SPDX-License-Identifier: Apache-2.0
"""Where tensors lie in the C that a firmware was built from, and whether that is sound: asked of the text, not of the
planner.

The same calls are printed once more with a place of its own for every tensor, and held against the text: what differs
may be the places alone. The checker of plans then replays an inference on the ones that stand there.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tinyproof.export.codegen import print_calls
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan

APART = 1 << 40  # more than any arena has: between the places of two tensors, and of two scratches
SCRATCHES = 1 << 80  # behind them
RUN = "\nvoid model_run(int8_t *arena) {\n"
_PLACE = re.compile(r"\barena \+ (\d+)")
_END = re.compile(r"\btensor\((\d+), ")


def plan_fault(program: Program, plan: MemoryPlan, source: str, header: str) -> str:
    """Why the places in `source` and `header`, model_compiled.c and .h, are unsound; "" where they are not, or more
    than places is other than in the program. `plan`: the planner's, for tensors that no call names."""
    from tinyproof.export.memory_checker import UnsoundPlanError, check_plan  # NumPy

    try:
        found = _read(program, plan, source, header)
        if found is not None:
            check_plan(program, found)
    except UnsoundPlanError as fault:
        return str(fault)
    return ""


def _read(program: Program, plan: MemoryPlan, source: str, header: str) -> MemoryPlan | None:
    """None where the text is of another program. Raises UnsoundPlanError where a tensor is at two places."""
    unique = replace(
        plan,
        offsets={index: index * APART for index in plan.offsets},
        scratch={number: SCRATCHES + number * APART for number in plan.scratch},
    )
    wanted = [line for lines in print_calls(program, unique).values() for line in lines]
    body = source.partition(RUN)[2].partition("\n}\n")[0].splitlines()
    size = re.search(r"^#define MODEL_ARENA_BYTES (\d+)$", header, re.MULTILINE)
    if len(body) != len(wanted) or size is None:
        return None
    places: dict[int, int] = {}
    for ours, theirs in zip(wanted, body, strict=True):
        if not _take(ours, theirs, places):
            return None
    for role, tensors in (("INPUT", program.inputs), ("OUTPUT", program.outputs)):
        ends = re.search(rf"^#define MODEL_FOR_EACH_{role}\(tensor\) (.*)$", header, re.MULTILINE)
        found = _END.findall(ends[1]) if ends else []
        if len(found) != len(tensors):
            return None
        for tensor, place in zip(tensors, found, strict=True):
            _note(places, tensor.index * APART, int(place))
    offsets = {index: places.get(index * APART, offset) for index, offset in plan.offsets.items()}
    scratch = {number: places.get(SCRATCHES + number * APART, offset) for number, offset in plan.scratch.items()}
    return MemoryPlan(int(size[1]), offsets, plan.tensor_bytes, scratch)


def _take(ours: str, theirs: str, places: dict[int, int]) -> bool:
    """Notes where the line has each place of ours; False where more than these is another."""
    pattern = r"arena \+ (\d+)".join(re.escape(part) for part in _PLACE.split(ours)[::2])
    found = re.fullmatch(pattern, theirs)
    if found is None:
        return False
    for unique, place in zip(_PLACE.findall(ours), found.groups(), strict=True):
        base = int(unique) // APART * APART
        _note(places, base, int(place) - int(unique) + base)
    return True


def _note(places: dict[int, int], base: int, place: int) -> None:
    from tinyproof.export.memory_checker import UnsoundPlanError

    if places.setdefault(base, place) != place:
        what = (
            f"tensor {base // APART}" if base < SCRATCHES else f"the scratch of operator {(base - SCRATCHES) // APART}"
        )
        raise UnsoundPlanError(f"{what} is at {places[base]} for one call and at {place} for another")
