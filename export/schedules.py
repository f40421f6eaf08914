# SPDX-License-Identifier: Apache-2.0
"""Programs that compute the same in less RAM: which operators take turns, and what that costs.

The fastest program runs each operator as a whole. Where the most RAM is needed, operators around that place take turns
by some rows (export/ops/stripes.py), a dense layer reads its input where it lies (export/ops/fully_connected.py), a
convolution does without a copy of its input's rows (export/ops/convolution.py), and what lies in the way of the next
layer moves (export/ops/lift.py). Every such program is a point of RAM and cost; those
that no other one beats in both are what a budget chooses from.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tinyproof.core.errors import UsageError
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan, needed_bytes, plan_memory
from tinyproof.export.ops.base import WORD, Op
from tinyproof.export.ops.convolution import Convolution
from tinyproof.export.ops.lift import Lift
from tinyproof.export.ops.stripes import Stripes

SMALL, MIN = "small", "min"  # budgets in words
MAX_EXTRA_COST = 0.05  # what `small` may cost
MAX_CHAIN = 8  # operators that take turns
HEIGHTS = (1, 2, 3, 4, 6, 8, 12, 16)  # rows of a stripe
MAX_ROUNDS = 32
STEP_COST = 0.001  # of all instructions, what the search takes a step to cost: so that it takes long ones
QUICK_PLACINGS = 20_000
LIFT_FROM = 0.8  # of the arena: what a step must need so that its input is moved out of the way


def is_budget(text: str) -> bool:
    """Whether it says how much RAM a program may take: bytes in digits, "small", "min", or nothing for the fastest."""
    return text in ("", SMALL, MIN) or (text.isascii() and text.isdigit())


def schedule(program: Program, ram: str = "") -> Choice:
    """For a budget as manifest.MemoryUse has it. The plan is checked byte by byte. Raises UsageError where it is none,
    or too small."""
    from tinyproof.export.memory_checker import check_plan  # NumPy, which inspect has no need of

    if not is_budget(ram):
        raise UsageError(f"ram: {ram!r} is neither a number of bytes nor small or min")
    schedules = Schedules(program)
    choice = schedules.fitting(int(ram) if ram.isdigit() else ram) if ram else schedules.fastest
    check_plan(choice.program, choice.plan)
    return choice


@dataclass(frozen=True)
class Choice:
    """A program, its plan, and about how many instructions it takes on a Cortex-M4."""

    program: Program
    plan: MemoryPlan
    cost: int


@dataclass(frozen=True)
class Shape:
    """What of a program is changed: `groups` of operators that take turns, first and last one and rows of a stripe;
    `narrow`: layers with a kernel that needs less RAM, see Op.narrow."""

    groups: tuple[tuple[int, int, int], ...] = ()
    narrow: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Point:
    """`needed`: bytes that no plan of it can do without, and `peak`, the operators that need them."""

    shape: Shape
    needed: int
    cost: int
    peak: tuple[int, int]


class Schedules:
    """Of one program, which is the fastest."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.chains: dict[tuple[int, int], bool] = {}
        self.stripes: dict[tuple[tuple[int, int, int], frozenset[int]], Op] = {}
        self.narrow: dict[int, Op] = {}

    @cached_property
    def fastest(self) -> Choice:
        """As it is."""
        return Choice(self.program, plan_memory(self.program), sum(op.cost for op in self.program.ops))

    def fitting(self, budget: int | str) -> Choice:
        """The fastest that takes at most `budget` bytes of RAM; or "min", the smallest, or "small", the smallest that
        costs at most 5 % more than the fastest. Raises UsageError where none fits."""
        if budget == MIN:
            return self.choices[-1]
        if budget == SMALL:
            limit = self.choices[0].cost * (1 + MAX_EXTRA_COST)
            return [choice for choice in self.choices if choice.cost <= limit][-1]
        for choice in self.choices:
            if isinstance(budget, int) and choice.plan.arena_bytes <= budget:
                return choice
        smallest = self.choices[-1].plan.arena_bytes
        raise UsageError(f"no plan takes {budget:,} B of RAM or less: the smallest takes {smallest:,} B; see --ram min")

    @cached_property
    def choices(self) -> list[Choice]:
        """Those that no other one beats in RAM or cost, the fastest first."""
        found = [self.fastest]
        for point in self.points:
            found += self._plans(point)
        found.sort(key=lambda choice: (choice.cost, choice.plan.arena_bytes))
        best: list[Choice] = []
        for choice in found:
            if not best or choice.plan.arena_bytes < best[-1].plan.arena_bytes:
                best.append(choice)
        return best

    def as_rows(self) -> list[dict[str, Any]]:
        """Of each choice the arena in bytes and, estimated, how many more instructions than the fastest it takes."""
        fastest = max(self.choices[0].cost, 1)
        return [
            {"arena_bytes": choice.plan.arena_bytes, "extra_share": choice.cost / fastest - 1}
            for choice in self.choices
        ]

    @cached_property
    def points(self) -> list[Point]:
        """Those that no other one beats, the fastest first."""
        best = self._search()
        best.sort(key=lambda point: (point.cost, point.needed))
        found: list[Point] = []
        for point in best:
            if not found or point.needed < found[-1].needed:
                found.append(point)
        return found

    def _search(self) -> list[Point]:
        """From the fastest program on, each time what saves most for its cost where the most RAM is needed."""
        point = self._point(Shape())
        found = {point.shape: point}
        for _ in range(MAX_ROUNDS):
            nearby = list(self._changes(point))
            found |= {shape: self._point(shape) for shape in nearby if shape not in found}
            smaller = [near for shape in nearby if (near := found[shape]).needed < point.needed]
            if not smaller:
                break
            start = point
            point = min(
                smaller,
                key=lambda near: (
                    (max(near.cost - start.cost, 0) + STEP_COST * start.cost) / (start.needed - near.needed)
                ),
            )
        return list(found.values())

    def _changes(self, point: Point) -> Iterator[Shape]:
        """What could take the peak away."""
        first, last = point.peak
        shape, ops = point.shape, self.program.ops
        yield from self._narrower(shape, range(first, last + 1))
        yield from self._splits(shape, first, last)
        for a in range(max(0, first - MAX_CHAIN + 1), last + 1):
            for b in range(max(a + 1, first), min(a + MAX_CHAIN, len(ops))):
                if not self._can_take_turns(a, b):
                    continue
                apart = tuple(group for group in shape.groups if group[1] < a or group[0] > b)
                for height in HEIGHTS:
                    if height * 2 <= self._height(b):
                        yield dataclasses.replace(shape, groups=tuple(sorted((*apart, (a, b, height)))))

    def _splits(self, shape: Shape, first: int, last: int) -> Iterator[Shape]:
        """With two groups instead of the one that needs most: between them a tensor is whole again."""
        apart = tuple(group for group in shape.groups if group[:2] != (first, last))
        if len(apart) == len(shape.groups):
            return
        for cut in range(first, last):
            parts = [(a, b) for a, b in ((first, cut), (cut + 1, last)) if b > a]
            if all(self._can_take_turns(a, b) for a, b in parts):
                for height in HEIGHTS:
                    groups = ((a, b, height) for a, b in parts if height * 2 <= self._height(b))
                    yield dataclasses.replace(shape, groups=tuple(sorted((*apart, *groups))))

    def _height(self, number: int) -> int:
        """Rows of an operator's output."""
        walk = self.program.ops[number].row_walk
        assert walk is not None  # as of every operator of a chain
        return walk.outputs

    def _narrower(self, shape: Shape, peak: range) -> Iterator[Shape]:
        for every in self._alike:  # one of them alone takes no peak away
            if not every <= shape.narrow:
                yield dataclasses.replace(shape, narrow=shape.narrow | every)
        for number in peak:
            if number not in shape.narrow and self._narrow(number):
                yield dataclasses.replace(shape, narrow=shape.narrow | {number})

    def _can_take_turns(self, a: int, b: int) -> bool:
        if (a, b) not in self.chains:
            self.chains[a, b] = self._is_chain(a, b)
        return self.chains[a, b]

    def _is_chain(self, a: int, b: int) -> bool:
        """Whether operators a to b are a chain of images with one input, of which nobody else needs a part."""
        ops, program = self.program.ops[a : b + 1], self.program
        if program.branches or any(op.row_walk is None for op in ops):
            return False
        made = {op.outputs[0] for op in ops}
        inner = made - {ops[-1].outputs[0]}
        outer = {index for op in ops for index in op.inputs} - made
        special = {*program.roots, *program.initial, *(root for root, _ in program.roots.values())}
        special |= {tensor.index for tensor in program.outputs}
        read_inside = all(any(index in op.inputs for op in ops) for index in inner)
        others = (op for number, op in enumerate(program.ops) if not a <= number <= b)
        read_outside = any(not inner.isdisjoint(op.inputs) for op in others)
        return len(outer) == 1 and read_inside and not read_outside and inner.isdisjoint(special)

    @cached_property
    def _alike(self) -> list[frozenset[int]]:
        """The layers that have a narrow form, those with the same kernels together."""
        found: dict[tuple[str, str], set[int]] = {}
        for number, op in enumerate(self.program.ops):
            if narrow := self._narrow(number):
                found.setdefault((op.kernel, narrow.kernel), set()).add(number)
        return [frozenset(numbers) for numbers in found.values()]

    def _narrow(self, number: int) -> Op | None:
        if number not in self.narrow:
            op = self.program.ops[number]
            found = op.narrow()
            if found is None:
                return None
            self.narrow[number] = found
        return self.narrow[number]

    def _stripes(self, group: tuple[int, int, int], narrow: frozenset[int]) -> Op:
        a, b, height = group
        key = group, narrow.intersection(range(a, b + 1))
        if key not in self.stripes:
            chain = [self._narrow(number) if number in narrow else None for number in range(a, b + 1)]
            members = [op or self.program.ops[number] for number, op in enumerate(chain, start=a)]
            self.stripes[key] = Stripes(members, height)
        return self.stripes[key]

    def _ops(self, shape: Shape) -> list[tuple[Op, tuple[int, int]]]:
        """The operators of a shape, and which of the program's each of them is."""
        found: list[tuple[Op, tuple[int, int]]] = []
        starts = {group[0]: group for group in shape.groups}
        number = 0
        while number < len(self.program.ops):
            if number in starts:
                found.append((self._stripes(starts[number], shape.narrow), starts[number][:2]))
                number = starts[number][1] + 1
                continue
            narrow = self._narrow(number) if number in shape.narrow else None
            found.append((narrow or self.program.ops[number], (number, number)))
            number += 1
        return found

    def _build(self, ops: list[tuple[Op, tuple[int, int]]]) -> Program:
        return dataclasses.replace(self.program, ops=tuple(op for op, _ in ops))

    def _point(self, shape: Shape) -> Point:
        ops = self._ops(shape)
        needed = needed_bytes(self._build(ops))
        largest = max(needed)
        step = needed.index(largest)
        peak = ops[min(max(step - 1, 0), len(ops) - 1)][1]
        return Point(shape, largest, sum(op.cost for op, _ in ops), peak)

    def _plans(self, point: Point) -> Iterator[Choice]:
        """As the search found it; and where that leaves gaps, with tensors that move."""
        program = self._build(self._ops(point.shape))
        plan = plan_memory(program, placings=QUICK_PLACINGS)
        yield Choice(program, plan, sum(op.cost for op in program.ops))
        if plan.arena_bytes > point.needed + WORD:
            program = _lift(program)
            plan = plan_memory(program, placings=QUICK_PLACINGS)
            yield Choice(program, plan, sum(op.cost for op in program.ops))


def _lift(program: Program) -> Program:
    """Moves the input of each step that needs most of the arena to where its output fits below."""
    needed = needed_bytes(program)
    largest = max(needed)
    tensors = list(program.graph.tensors)
    fixed = {tensor.index for tensor in (*program.inputs, *program.outputs)} | {*program.roots, *program.initial}
    fixed |= {root for root, _ in program.roots.values()}
    uses = [index for op in program.ops for index in op.inputs]
    ops: list[Op] = []
    for step, op in enumerate(program.ops, start=1):
        overlaps = isinstance(op, Convolution) and op.distance is not None and op.distance < op.y.bytes
        if not overlaps or needed[step] < LIFT_FROM * largest or op.inputs[0] in fixed or uses.count(op.inputs[0]) > 1:
            ops.append(op)
            continue
        (x,) = op.inputs
        target = dataclasses.replace(tensors[x], index=len(tensors))
        tensors.append(target)
        moved = copy.copy(op)
        moved.inputs = (target.index,)
        ops += [Lift(op, x, target.index), moved]
    return dataclasses.replace(
        program, graph=dataclasses.replace(program.graph, tensors=tuple(tensors)), ops=tuple(ops)
    )
