# SPDX-License-Identifier: Apache-2.0
"""Proves that a memory plan is sound: one inference is replayed on a shadow of the arena that says whose byte each is.

The checker takes the plan's offsets and what the operators say of themselves: which tensors they read and write, and in
which order (export/ops/access.py). It knows nothing of lifetimes, blocks and how the planner came to its places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.access import AccessOrder
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.stripes import Rows, Stripes

NOBODY = -1
TENSOR_BYTES = 1 << 40  # keys are tensor * TENSOR_BYTES + byte


class UnsoundPlanError(AssertionError):
    """A bug of ours: a byte would be overwritten that is still to be read. No firmware may be built from it."""


def check_plan(program: Program, plan: MemoryPlan, *, any_form: bool = False) -> None:
    """Raises UnsoundPlanError naming the operator and the byte. `any_form`: only for what no form of a kernel bears."""
    _Replay(program, plan, any_form=any_form).run()


class _Replay:
    def __init__(self, program: Program, plan: MemoryPlan, *, any_form: bool) -> None:
        self.program, self.plan, self.any_form = program, plan, any_form
        self.tensors = program.graph.tensors
        self.shadow: npt.NDArray[Any] = np.full(plan.arena_bytes, NOBODY, np.int64)

    def run(self) -> None:
        states = list(self.program.initial)
        for index in (*states, *(tensor.index for tensor in self.program.inputs)):
            self._write(index, "the model's begin")
        ends = {last: first for first, last in self.program.loops}
        for number, op in enumerate(self.program.ops):
            self._run(number, op)
            if number in ends:  # once more, from where the loop begins
                for again in range(ends[number], number + 1):
                    self._run(again, self.program.ops[again])
        for index in (*states, *(tensor.index for tensor in self.program.outputs)):
            self._expect(index, "the model's end")

    def _run(self, number: int, op: Op) -> None:
        where = f"operator {number} ({op.operator.name})"
        for index in op.inputs:
            self._expect(index, where)
        if not op.kernel and not op.outputs:
            return
        for position, index in enumerate(op.outputs):
            if index not in op.inputs:
                self._check_overlap(op, position, where)
        if op.working_bytes:
            self._check_scratch(number, op, where)
        if isinstance(op, Stripes):
            self._take_turns(number, op, where)
            return
        for index in op.outputs:
            self._write(index, where)

    def _take_turns(self, number: int, op: Stripes, where: str) -> None:
        """Every call on some rows, from and to the arena or the buffers in the operator's scratch."""
        scratch = self.plan.scratch[number]
        for stripe, turns in enumerate(op.turns):
            for turn in turns:
                at = f"{where}, stripe {stripe}"
                if turn.part is not None:
                    work = scratch + op.buffers[-1]
                    size = op.parts[turn.member][turn.part].working_bytes
                    self._inside(work, size, at)
                    self.shadow[work : work + size] = NOBODY
                places = [self._row_place(number, op, rows) for rows in turn.reads]
                for rows, place in zip(turn.reads, places, strict=True):
                    self._expect_keys(place, self._row_keys(op, rows), rows.tensor, at)
                begin, keys = self._row_place(number, op, turn.writes), self._row_keys(op, turn.writes)
                for rows, place in zip(turn.reads, places, strict=True):
                    apart = place + len(self._row_keys(op, rows)) <= begin or begin + len(keys) <= place
                    behind = turn.member < 0 or rows.tensor in op.chain[turn.member].replaceable_by_rows
                    if not apart and not (behind and begin <= place):
                        raise UnsoundPlanError(f"{at}: writes tensor {turn.writes.tensor} over rows that it reads")
                self._inside(begin, len(keys), at)
                self.shadow[begin : begin + len(keys)] = keys

    def _row_place(self, number: int, op: Stripes, rows: Rows) -> int:
        if rows.tensor in op.buffers:
            return self.plan.scratch[number] + op.buffers[rows.tensor] + rows.offset
        return self.plan.offsets[rows.tensor] + rows.offset

    def _row_keys(self, op: Stripes, rows: Rows) -> npt.NDArray[Any]:
        size = op.row_bytes(rows.tensor)
        root, start = self.program.roots.get(rows.tensor, (rows.tensor, 0))
        return root * TENSOR_BYTES + start + np.arange(rows.first * size, (rows.first + rows.count) * size)

    def _check_scratch(self, number: int, op: Op, where: str) -> None:
        start, size = self.plan.scratch[number], op.scratch_bytes if self.any_form else op.working_bytes
        self._inside(start, size, where)
        for index in (*op.inputs, *op.outputs):
            if self._shared(start, size, index):
                raise UnsoundPlanError(f"{where} works in bytes of tensor {index} at {start}")
        self.shadow[start : start + size] = NOBODY

    def _check_overlap(self, op: Op, position: int, where: str) -> None:
        output = op.outputs[position]
        begin, size = self.plan.offsets[output], self.tensors[output].bytes
        for other in op.outputs[:position]:
            if self._shared(begin, size, other):
                raise UnsoundPlanError(f"{where} writes tensors {other} and {output} to the same bytes")
        for index in op.inputs:
            if self._root(index) == self._root(output) or not self._shared(begin, size, index):
                continue
            at = self.plan.offsets[index]
            if index in op.replaceable and at == begin and position == 0:
                continue
            orders = op.access_orders if index == op.inputs[0] and len(op.outputs) == 1 else ()
            if not orders:
                raise UnsoundPlanError(f"{where} writes tensor {output} over its input {index} at byte {begin}")
            faults = [_order_fault(order, begin - at) for order in orders]
            fault = next(filter(None, faults), "")
            if fault and (all(faults) or not self.any_form):
                raise UnsoundPlanError(f"{where} writes tensor {output} over its input {index}, {fault}")

    def _shared(self, begin: int, size: int, index: int) -> bool:
        at = self.plan.offsets[index]
        return begin < at + self.tensors[index].bytes and at < begin + size

    def _root(self, index: int) -> int:
        return self.program.roots.get(index, (index, 0))[0]

    def _keys(self, index: int) -> npt.NDArray[Any]:
        root, start = self.program.roots.get(index, (index, 0))
        return root * TENSOR_BYTES + start + np.arange(self.tensors[index].bytes)

    def _expect(self, index: int, where: str) -> None:
        self._expect_keys(self.plan.offsets[index], self._keys(index), index, where)

    def _expect_keys(self, begin: int, keys: npt.NDArray[Any], index: int, where: str) -> None:
        self._inside(begin, len(keys), where)
        wrong = np.flatnonzero(self.shadow[begin : begin + len(keys)] != keys)
        if wrong.size:
            raise UnsoundPlanError(
                f"{where} reads tensor {index}, whose byte {wrong[0]} at {begin + wrong[0]} was overwritten"
            )

    def _write(self, index: int, where: str) -> None:
        begin, keys = self.plan.offsets[index], self._keys(index)
        self._inside(begin, len(keys), where)
        self.shadow[begin : begin + len(keys)] = keys

    def _inside(self, begin: int, size: int, where: str) -> None:
        if begin < 0 or begin + size > self.plan.arena_bytes:
            raise UnsoundPlanError(f"{where} leaves the arena of {self.plan.arena_bytes} bytes at {begin}")


def _order_fault(order: AccessOrder, shift: int) -> str:
    """What is overwritten too early, "" for nothing. `shift`: where the output begins, from the input's begin on."""
    last_read = np.repeat(order.last_read, order.read_bytes)
    first_write = np.repeat(order.first_write, order.write_bytes)
    places = np.arange(first_write.size) + shift
    inside = (places >= 0) & (places < last_read.size)
    early = np.flatnonzero(first_write[inside] < last_read[places[inside]])
    return f"whose byte {places[inside][early[0]]} is still to be read" if early.size else ""
