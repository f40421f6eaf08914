# SPDX-License-Identifier: Apache-2.0
"""Where state lies: reading a variable, shifting it and assigning to it become names for its bytes, not copies.

A streaming layer keeps the last rows of its input: it reads them, puts new rows behind, computes from all of them, and
keeps the last ones again. All of that happens in one tensor that lives on: what stays is moved up, and the new rows
are computed right into their place. A part of the tensor is a view of it (Program.views).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tinyproof.export.ops.base import Op, alignment
from tinyproof.export.ops.concatenation import Concatenation
from tinyproof.export.ops.moving import element_bytes
from tinyproof.export.ops.variables import Variable

if TYPE_CHECKING:
    from tinyproof.export.lowering import Program


def settle_states(program: Program) -> Program:
    """The same program with fewer copies of its state."""
    if not program.initial or program.branches:
        return program
    settling = _Settling(program)
    for state in program.initial:
        settling.settle(state)
    return dataclasses.replace(program, ops=tuple(settling.ops), initial=settling.initial, views=settling.views)


class _Settling:
    def __init__(self, program: Program) -> None:
        self.tensors = program.graph.tensors
        self.ends = {tensor.index for tensor in program.outputs}
        self.ops = list(program.ops)
        self.initial = dict(program.initial)
        self.views: dict[int, tuple[int, int]] = {}

    def settle(self, state: int) -> None:
        touching = [op for op in self.ops if state in op.inputs or state in op.outputs]
        if not all(isinstance(op, Variable) for op in touching):
            return
        reads = [op for op in touching if isinstance(op, Variable) and state in op.inputs]
        writes = [op for op in touching if isinstance(op, Variable) and state in op.outputs]
        if len(reads) == len(writes) == 1 and self._shift(state, reads[0], writes[0]):
            return
        for read in reads:
            self._read_in_place(read, writes)
        if len(writes) == 1:
            self._compute_in_place(state, writes[0], reads)

    def _shift(self, state: int, read: Variable, write: Variable) -> bool:
        """The streaming layer. False where the graph has another shape; nothing is changed then."""
        size = self.tensors[state].bytes
        old = self._parts(read.outputs[0])
        users = [op for op in self._users(old) if op.outputs[0] not in old]
        if len(users) != 1 or not isinstance(users[0], Concatenation) or (self.ends | self.views.keys()) & old.keys():
            return False
        joined = users[0]
        places = [number for number, part in enumerate(joined.parts) if part.index in old]
        whole = joined.outputs[0]
        new = self._parts(whole)
        kept = write.inputs[0] if write.inputs else -1
        if len(places) != 1 or not joined.part_places or kept not in new or not self._free(whole):
            return False
        start, part = new[kept], joined.parts[places[0]]
        read.shift(whole, start + old[part.index], joined.part_places[places[0]], part.bytes)
        self.ops.remove(write)
        for op in self._users(old):
            if op is not joined:
                self.ops.remove(op)
        # Before anything computes new rows right into their place.
        self.ops.remove(read)
        self.ops.insert(0, read)
        behind = self.tensors[whole].bytes - start - size
        self.initial[whole] = bytes(start) + self.initial.pop(state) + bytes(behind)
        joined.placed.add(places[0])
        joined.inputs = tuple(index for index in joined.inputs if index != part.index)  # no tensor any more
        for number, place in enumerate(joined.part_places):
            if number not in joined.placed and self._place(joined.parts[number].index, whole, place):
                joined.placed.add(number)
        if len(joined.placed) == len(joined.parts):
            self.ops.remove(joined)
        self._view_parts(whole, new)
        return True

    def _read_in_place(self, read: Variable, writes: list[Variable]) -> None:
        """What is read is the state itself, if nothing assigns to it as long as that is needed."""
        parts = self._parts(read.outputs[0])
        first = self.ops.index(read)
        last = max([first, *(self.ops.index(op) for op in self._users(parts))])
        if self.ends & parts.keys():
            last = len(self.ops)
        if any(first < self.ops.index(write) <= last for write in writes) or not self._free(read.outputs[0]):
            return
        read.kernel = ""
        self._view_parts(read.outputs[0], parts)

    def _compute_in_place(self, state: int, write: Variable, reads: list[Variable]) -> None:
        """The value that is assigned is computed right into the state, if its old value is not needed any more."""
        if not write.inputs:
            return
        value, maker = self._maker(write.inputs[0])
        if maker is None or not self._free(value):
            return
        made, assigned = self.ops.index(maker), self.ops.index(write)
        for read in reads:
            place = self.ops.index(read)
            parts = self._parts(read.outputs[0])
            if read.kernel:
                if made < place < assigned:
                    return
                continue
            if self.ends & parts.keys() or place > assigned:
                return
            for user in self._users(parts):
                step = self.ops.index(user)
                if step > made or (step == made and not self._overwrites(maker, value, parts)):
                    return
        self.views[value] = state, 0
        self.ops.remove(write)

    def _overwrites(self, maker: Op, value: int, parts: dict[int, int]) -> bool:
        """Whether an operator that reads `parts` of the state may write `value` to its beginning."""
        first, *others = maker.inputs
        same = parts.get(first) == 0 and self.tensors[first].bytes == self.tensors[value].bytes
        return maker.in_place and same and maker.outputs[0] == value and not parts.keys() & set(others)

    def _parts(self, tensor: int) -> dict[int, int]:
        """Where everything begins that is a part of `tensor`, itself included."""
        found = {tensor: 0}
        for op in self.ops:
            if op.inputs and op.inputs[0] in found and op.outputs[0] not in self.initial:
                if not op.kernel:
                    found[op.outputs[0]] = found[op.inputs[0]]
                elif op.taken is not None:
                    found[op.outputs[0]] = found[op.inputs[0]] + op.taken[0]
        return found

    def _users(self, tensors: dict[int, int]) -> list[Op]:
        return [op for op in self.ops if not tensors.keys().isdisjoint(op.inputs)]

    def _view_parts(self, whole: int, parts: dict[int, int]) -> None:
        """What was copied from `whole` becomes a view of it, if it lies as its readers need it."""
        for op in list(self.ops):
            if op.kernel and op.taken is not None and op.inputs[0] in parts:
                target = op.outputs[0]
                if target not in self.ends and not self._users({target: 0}):
                    self.ops.remove(op)
                elif self._free(target) and self._aligned(target, parts[target]):
                    op.kernel = ""
                    self.views[target] = whole, parts[target]

    def _aligned(self, tensor: int, place: int) -> bool:
        found = self.tensors[tensor]
        return place % alignment(found.bytes, element_bytes(found)) == 0

    def _maker(self, tensor: int) -> tuple[int, Op | None]:
        """What computes a tensor, and under which name: what no kernel moves is an operator's output before."""
        while True:
            maker = next((op for op in self.ops if tensor in op.outputs), None)
            if maker is None or maker.kernel or not maker.inputs:
                return tensor, maker
            tensor = maker.inputs[0]

    def _place(self, tensor: int, whole: int, place: int) -> bool:
        """Has `tensor` computed right into its place in `whole`, if it can be."""
        value, maker = self._maker(tensor)
        if maker is None or not self._free(value) or not self._aligned(value, place):
            return False
        self.views[value] = whole, place
        return True

    def _free(self, tensor: int) -> bool:
        """Whether a tensor's place may be chosen."""
        return tensor not in self.views and tensor not in self.initial
