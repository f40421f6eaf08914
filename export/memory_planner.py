# SPDX-License-Identifier: Apache-2.0
"""The memory plan: every tensor gets a fixed place in one arena, whose exact size is known before anything is built.

Two tensors share bytes when they are never alive together, or when one is made of the other by a kernel that bears it.
Blocks go one after the other to the lowest place that is free; some order of them gives the smallest arena there is,
since in any plan blocks can be pushed down in the order in which they lie. It is searched for: by size first, as
in "Efficient Memory Management for Deep Neural Net Inference" (Pisarchyk and Lee, 2020), then by moves that make the
arena no larger, until it is as small as a bound says it must be. Of a few blocks every order is tried.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations

from tinyproof.core.manifest import PlannedBytes
from tinyproof.export.lowering import Program
from tinyproof.export.memory_blocks import Block, Overlap, find_blocks

ARENA_ALIGNMENT = 16  # of the arena itself; engine_compiled.c sees to it
MAX_PLACINGS = 60_000  # of single blocks that the search tries: a second or two
FEW_BLOCKS = 6  # whose 720 orders are fewer than those that a search would try
SEED = 1  # the same model gets the same plan


@dataclass(frozen=True)
class MemoryPlan:
    """`offsets`: tensor index -> byte offset in the arena. `tensor_bytes`: what they would take without sharing.
    `scratch`: number of an operator -> byte offset of what its kernel works in."""

    arena_bytes: int
    offsets: dict[int, int]
    tensor_bytes: int
    scratch: dict[int, int] = field(default_factory=dict)


def plan_memory(program: Program, *, placings: int = MAX_PLACINGS) -> MemoryPlan:
    """The smallest that is found. `placings`: how long to search."""
    blocks = find_blocks(program)
    unique = blocks.unique
    places = dict(zip(map(id, unique), place_blocks(unique, placings), strict=True))
    return MemoryPlan(
        max((places[id(block)] + block.size for block in unique), default=0),
        {index: places[id(block)] + program.roots.get(index, (index, 0))[1] for index, block in blocks.tensors.items()},
        sum(program.graph.tensors[index].bytes for index in blocks.tensors),
        {number: places[id(block)] for number, block in blocks.scratch.items()},
    )


def plan_over_time(program: Program, plan: MemoryPlan) -> list[PlannedBytes]:
    """For the manifest: every block, in the order of its first step."""
    blocks = find_blocks(program)
    end = len(program.ops) + 1
    inputs = {tensor.index for tensor in program.inputs}
    found: dict[int, PlannedBytes] = {}
    for index, block in blocks.tensors.items():
        use = "state" if index in program.initial else "input" if index in inputs else "tensor"
        offset = plan.offsets[index] - program.roots.get(index, (index, 0))[1]
        span = PlannedBytes(use=use, offset=offset, bytes=block.size, first=block.first, last=min(block.last, end))
        found.setdefault(id(block), span)
    for number, block in blocks.scratch.items():
        found[id(block)] = PlannedBytes(
            use="scratch", offset=plan.scratch[number], bytes=block.size, first=block.first, last=block.last
        )
    return sorted(found.values(), key=lambda span: (span.first, span.offset))


def needed_bytes(program: Program) -> list[int]:
    """Of each step what no plan can do without: what is alive, less what may overlap. Step k + 1 is operator k's."""
    return _Search(find_blocks(program).unique).needed(len(program.ops) + 2)


def place_blocks(blocks: Sequence[Block], placings: int = MAX_PLACINGS) -> list[int]:
    """An offset for each."""
    return _Search(blocks).run(placings) if blocks else []


class _Search:
    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        numbers = {id(block): number for number, block in enumerate(blocks)}
        # (made, its origin) -> how the two may overlap
        self.overlaps: dict[tuple[int, int], Overlap] = {
            (number, numbers[id(overlap.other)]): overlap
            for number, block in enumerate(blocks)
            for overlap in block.made_from
        }

    def run(self, placings: int) -> list[int]:
        """Offsets of the best order."""
        bound = max(self.needed(1 + max(block.first for block in self.blocks)))
        order, best = self._best_of(self._starts(), bound)
        if len(self.blocks) <= FEW_BLOCKS:
            return self._best_of([order, *permutations(range(len(self.blocks)))], bound)[1]
        source = random.Random(SEED)
        current = size = self._size(best)
        for _ in range(placings // len(self.blocks)):
            if size <= bound:
                break
            changed = self._change(order, best, source)
            offsets = self._place(changed)
            if self._size(offsets) <= current:
                order, current = changed, self._size(offsets)
                if current < size:
                    best, size = offsets, current
        return best

    def _best_of(self, orders: Iterable[Sequence[int]], bound: int) -> tuple[list[int], list[int]]:
        """The first of the orders that gives the smallest arena, and its offsets; none after one that needs `bound`."""
        best: list[int] = []
        size = -1
        found: Sequence[int] = ()
        for order in orders:
            offsets = self._place(order)
            if not best or self._size(offsets) < size:
                best, size, found = offsets, self._size(offsets), order
            if size <= bound:
                break
        return list(found), best

    def _starts(self) -> list[list[int]]:
        """Orders to begin with: the largest first; by time, forwards and backwards; and step by step, those first that
        need most, what a step makes before what it makes that of."""
        numbers = range(len(self.blocks))
        brief = [block.first == block.last for block in self.blocks]  # what kernels work in, above all
        needed = self.needed(1 + max(block.last for block in self.blocks))
        peaks = [max(range(block.first, block.last + 1), key=needed.__getitem__) for block in self.blocks]
        return [
            sorted(numbers, key=lambda i: (-needed[peaks[i]], peaks[i], brief[i], -self.blocks[i].first, i)),
            sorted(numbers, key=lambda i: (-self.blocks[i].size, i)),
            sorted(numbers, key=lambda i: (brief[i], -self.blocks[i].first, i)),
            sorted(numbers, key=lambda i: (brief[i], self.blocks[i].last, i)),
        ]

    def _change(self, order: list[int], offsets: list[int], source: random.Random) -> list[int]:
        """One block, more often one of those at the top, goes somewhere else in the order."""
        changed = list(order)
        if source.random() < 0.5:
            number = max(source.sample(range(len(order)), min(3, len(order))), key=lambda i: self._end(i, offsets))
        else:
            number = source.randrange(len(order))
        changed.remove(number)
        changed.insert(source.randrange(len(order)), number)
        return changed

    def _end(self, number: int, offsets: list[int]) -> int:
        return offsets[number] + self.blocks[number].size

    def _size(self, offsets: list[int]) -> int:
        return max(offset + block.size for block, offset in zip(self.blocks, offsets, strict=True))

    def _place(self, order: Sequence[int]) -> list[int]:
        """Each at the lowest offset that its rivals before it leave."""
        offsets = [-1] * len(self.blocks)
        for number in order:
            # Begins between these two are not free: from, up to, and one between them that is.
            taken = [
                (at + start, at + end, at if same else -1)
                for j, start, end, same in self.rivals[number]
                if (at := offsets[j]) >= 0
            ]
            offsets[number] = _lowest(self.alignments[number], taken)
        return offsets

    @cached_property
    def alignments(self) -> list[int]:
        """Of each block's offset."""
        return [block.alignment for block in self.blocks]

    @cached_property
    def rivals(self) -> list[list[tuple[int, int, int, bool]]]:
        """Of each block those that are alive with it: which one it is; from its begin on, between which two the block
        must not begin, both ends free; and whether it may begin where that one does."""
        return [
            [
                (j, *self._taken(i, j))
                for j, other in enumerate(self.blocks)
                if j != i and block.first <= other.last and other.first <= block.last
            ]
            for i, block in enumerate(self.blocks)
        ]

    def _taken(self, number: int, rival: int) -> tuple[int, int, bool]:
        start, end = -self.blocks[number].size, self.blocks[rival].size
        made, origin = self.overlaps.get((number, rival)), self.overlaps.get((rival, number))
        if made:
            start = max(start, -made.distance)
        if origin:
            end = min(end, origin.distance)
        overlap = made or origin
        return start, max(start, end), overlap is not None and overlap.same

    def needed(self, steps: int) -> list[int]:
        """Of each step: no plan is smaller."""
        total = [0] * steps
        for block in self.blocks:
            for step in range(block.first, min(block.last + 1, steps)):
                total[step] += block.size
        for (number, rival), overlap in self.overlaps.items():
            made, other = self.blocks[number].size, self.blocks[rival].size
            saved = min(made, other) if overlap.same else min(made - overlap.distance, other, made)
            total[self.blocks[number].first] -= max(saved, 0)
        return total


def _lowest(alignment: int, taken: list[tuple[int, int, int]]) -> int:
    """The lowest offset of that alignment that is not taken."""
    taken.sort()
    lowest = 0
    for start, end, _ in taken:
        if lowest <= start:  # and all others begin behind it
            break
        if lowest < end:
            lowest = -(-end // alignment) * alignment
    free = [
        at
        for _, _, at in taken
        if 0 <= at < lowest
        and at % alignment == 0
        and all(at <= start or at >= end or at == same for start, end, same in taken)
    ]
    return min(free, default=lowest)
