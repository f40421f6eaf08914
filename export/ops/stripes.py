# SPDX-License-Identifier: Apache-2.0
"""Operators that take turns: a few rows of the last one's output at a time, so that what lies between them never exists
as a whole.

A stripe of the output needs some rows of each tensor before it. Those that are there already stay in a buffer of just
as many rows and move to its begin; only new ones are computed, none of them twice. Every turn is a call of the
operator's own kernel on a window of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyproof.export.ops.access import NEVER, AccessOrder
from tinyproof.export.ops.base import WORD, Op, RowPart, RowWalk

CALL_COST = 60  # instructions of a call on a Cortex-M4, about
MOVE_COST = 40
BYTES_PER_MOVED_INSTRUCTION = 1.5


@dataclass(frozen=True)
class Rows:
    """`count` rows of a tensor from row `first` on, `offset` bytes behind the tensor's begin or that of its buffer."""

    tensor: int
    first: int
    count: int
    offset: int


@dataclass(frozen=True)
class Turn:
    """One call: member `member` in the form `part` makes rows of its output; without a member, rows move."""

    reads: tuple[Rows, ...]
    writes: Rows
    member: int = -1
    part: RowPart | None = None

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal where only places differ."""
        return (self.member, self.part, self.writes.tensor, self.writes.count)


class Stripes(Op):
    """`chain`: operators in their order, each with a `row_walk`; `height`: rows that are made at a time, at most."""

    kernel = "stripes"
    max_version = 1 << 30

    def __init__(self, chain: Sequence[Op], height: int) -> None:
        super().__init__(chain[-1].graph, chain[-1].operator)
        self.chain, self.height = tuple(chain), height
        self.outputs = chain[-1].outputs
        self.made = {op.outputs[0]: number for number, op in enumerate(chain)}
        outer = dict.fromkeys(index for op in chain for index in op.inputs if index not in self.made)
        self.inputs = tuple(outer)
        self.walks: list[RowWalk] = [walk for op in chain if (walk := op.row_walk)]
        self.turns = list(self._schedule())
        self.parts = [self._parts(number) for number in range(len(chain))]

    @property
    def moves(self) -> bool:
        """Whether some rows have to move."""
        return any(turn.part is None for turns in self.turns for turn in turns)

    def row_bytes(self, tensor: int) -> int:
        """Of a row of a tensor of four dimensions."""
        return self.graph.tensors[tensor].bytes // self._height(tensor)

    def _height(self, tensor: int) -> int:
        if tensor in self.made:
            return self.walks[self.made[tensor]].outputs
        return next(walk.inputs for op, walk in zip(self.chain, self.walks, strict=True) if tensor in op.inputs)

    def _schedule(self) -> Iterator[list[Turn]]:
        """The turns of each stripe: each makes at most `height` rows, and none before somebody needs them."""
        last = self.outputs[0]
        done, start = dict.fromkeys(self.made, 0), dict.fromkeys((*self.made, *self.inputs), 0)
        while done[last] < self._height(last):
            turns: list[Turn] = []
            self._make(last, min(done[last] + self.height, self._height(last)), done, start, turns)
            yield turns

    def _make(self, y: int, goal: int, done: dict[int, int], start: dict[int, int], turns: list[Turn]) -> None:
        """Rows of y up to `goal`, and before them what they are made of."""
        number = self.made[y]
        op, walk = self.chain[number], self.walks[number]
        while done[y] < goal:
            until = min(done[y] + self.height, goal)
            begin, end = walk.needed(done[y], until)
            for x in op.inputs:
                if x in self.made:
                    self._make(x, end, done, start, turns)
            if y != self.outputs[0]:
                oldest = max(start[y], min(self._oldest_needed(y, done), done[y]))
                turns += self._move(y, start[y], oldest, done[y])
                start[y] = oldest
            part = RowPart(end - begin, until - done[y], begin - (done[y] * walk.stride - walk.pad))
            reads = tuple(self._rows(x, begin, end, start[x]) for x in op.inputs)
            turns.append(Turn(reads, self._rows(y, done[y], until, start[y]), number, part))
            done[y] = until

    def _oldest_needed(self, tensor: int, done: dict[int, int]) -> int:
        """The first row that somebody is still to read."""
        readers = [number for number, op in enumerate(self.chain) if tensor in op.inputs]
        made = [(done[self.chain[number].outputs[0]], self.walks[number]) for number in readers]
        return min((walk.needed(rows, rows + 1)[0] for rows, walk in made if rows < walk.outputs), default=done[tensor])

    def _rows(self, tensor: int, begin: int, end: int, start: int) -> Rows:
        return Rows(tensor, begin, end - begin, (begin - start) * self.row_bytes(tensor))

    def _move(self, tensor: int, old: int, new: int, done: int) -> list[Turn]:
        if new == old or new >= done:
            return []
        return [Turn((self._rows(tensor, new, done, old),), self._rows(tensor, new, done, new))]

    def _parts(self, number: int) -> dict[RowPart, Op]:
        """The forms of a member; all have the tables of the one that is called most."""
        found = [turn.part for turns in self.turns for turn in turns if turn.member == number and turn.part]
        on_rows = self.walks[number].on_rows
        usual = on_rows(max(found, key=found.count), None)
        return {part: on_rows(part, usual) for part in dict.fromkeys(found)}

    @cached_property
    def buffers(self) -> dict[int, int]:
        """Where the rows of each inner tensor begin in the scratch."""
        place, found = 0, {}
        for tensor in self.made:
            if tensor != self.outputs[0]:
                found[tensor] = place
                ends = [
                    rows.offset + rows.count * self.row_bytes(tensor)
                    for turns in self.turns
                    for turn in turns
                    for rows in (*turn.reads, turn.writes)
                    if rows.tensor == tensor
                ]
                place += -(-max(ends) // WORD) * WORD
        return found | {-1: place}

    @property
    def scratch_bytes(self) -> int:
        """Buffers, then what the kernels work in."""
        return self.buffers[-1] + max(op.working_bytes for parts in self.parts for op in parts.values())

    @cached_property
    def cost(self) -> int:
        total = 0.0
        for turn in (turn for turns in self.turns for turn in turns):
            if turn.part is None:
                bytes_moved = turn.writes.count * self.row_bytes(turn.writes.tensor)
                total += MOVE_COST + bytes_moved / BYTES_PER_MOVED_INSTRUCTION
            else:
                total += CALL_COST + self.parts[turn.member][turn.part].cost
        return round(total)

    @property
    def access_orders(self) -> list[AccessOrder]:
        """In rows, a step for each row of the output. Where the last member reads the input itself, row by row."""
        if len(self.inputs) > 1:
            return []
        (x,), y = self.inputs, self.outputs[0]
        last_read = [NEVER] * self._height(x)
        for turns in self.turns:
            written = turns[-1].writes
            for turn in turns:
                for rows in turn.reads:
                    if rows.tensor != x:
                        continue
                    for row in range(rows.first, rows.first + rows.count):
                        step = 2 * written.first
                        if turn is turns[-1]:
                            by_element = x in self.chain[-1].replaceable_by_rows
                            step = 2 * row if by_element else 2 * (written.first + written.count - 1) + 1
                        last_read[row] = max(last_read[row], step)
        first_write = [2 * row for row in range(self._height(y))]
        return [AccessOrder(last_read, first_write, self.row_bytes(x), self.row_bytes(y))]

    @property
    def name(self) -> str:
        return f"{self.chain[0].operator.name} to {self.operator.name}"

    @property
    def members(self) -> tuple[Op, ...]:
        return self.chain

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.chain)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {}
