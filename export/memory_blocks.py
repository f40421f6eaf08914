# SPDX-License-Identifier: Apache-2.0
"""What the memory plan has to place: blocks of bytes, when each is alive, and how far two of them may overlap."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.lowering import Program
from tinyproof.export.ops.base import Op, alignment
from tinyproof.export.ops.moving import element_bytes


@dataclass(eq=False)
class Block:
    """Bytes for one tensor and all that lies in it, or for a kernel to work in. Alive from step `first` to step `last`.

    `element`: bytes of the widest element that lies in it. `made_from`: blocks whose last reader makes this one, and
    how it may overlap each.
    """

    size: int
    first: int
    last: int
    element: int = 1
    made_from: list[Overlap] = field(default_factory=list)

    @property
    def alignment(self) -> int:
        """What its offset must be a multiple of."""
        return alignment(self.size, self.element)


@dataclass(frozen=True)
class Overlap:
    """With block `other`: this one may begin where that does (`same`), or at least `distance` bytes before it."""

    other: Block
    same: bool
    distance: int


@dataclass(frozen=True)
class Blocks:
    """`tensors`: the block in which each tensor lies, by its index; `scratch`: by the operator's number."""

    tensors: dict[int, Block]
    scratch: dict[int, Block]

    @property
    def unique(self) -> list[Block]:
        """Each once, in the order of their first step; those to work in at the end."""
        return [*{id(block): block for block in self.tensors.values()}.values(), *self.scratch.values()]


def find_blocks(program: Program) -> Blocks:
    """Step 0 is the arrival of the input; op k runs at step k + 1; the output is read after the last."""
    tensors = program.graph.tensors
    roots = {index: root for index, (root, _) in program.roots.items()}
    last_use = _last_uses(program, roots)
    blocks: dict[int, Block] = {}
    for index in (*(tensor.index for tensor in program.inputs), *program.initial):
        blocks[index] = _block(tensors[index], 0, last_use.get(index, 0))
    for step, op in enumerate(program.ops, start=1):
        for index in op.outputs:
            if index in program.initial:
                continue
            if index in blocks:  # what comes out of IF and WHILE is written in two places
                blocks[index].last = max(blocks[index].last, step)
            elif index in roots:
                blocks[index] = blocks[roots[index]]
            else:
                blocks[index] = _block(tensors[index], step, last_use.get(index, step))
        if op.outputs and op.outputs[0] not in roots and blocks[op.outputs[0]].first == step:
            blocks[op.outputs[0]].made_from += _overlaps(op, step, blocks, {index: tensors[index] for index in roots})
    scratch = {
        step - 1: Block(op.working_bytes, step, step)
        for step, op in enumerate(program.ops, start=1)
        if op.working_bytes
    }
    return Blocks(blocks, scratch)


def _overlaps(op: Op, step: int, blocks: dict[int, Block], views: dict[int, Tensor]) -> list[Overlap]:
    """Of the first output with inputs that nobody else needs. `views`: those that lie in another tensor; where that one
    is larger, they are left alone."""
    made, found = blocks[op.outputs[0]], []
    for index in dict.fromkeys(op.inputs):
        other = blocks[index]
        if other is made or other.last != step or op.inputs.count(index) > 1:
            continue
        if any(blocks[twin] is other for twin in op.inputs if twin != index):
            continue
        distance = made.size
        if index == op.inputs[0] and len(op.outputs) == 1 and op.distance is not None:
            distance = min(op.distance, made.size)
        same = index in op.replaceable
        if index in views and views[index].bytes != other.size:
            continue
        if same or distance < made.size:
            found.append(Overlap(other, same, distance))
    return found


def _last_uses(program: Program, roots: dict[int, int]) -> dict[int, int]:
    """Tensor index -> the last step that reads any part of it."""
    end = len(program.ops) + 1
    last_use = {roots.get(tensor.index, tensor.index): end for tensor in program.outputs}
    for step in range(len(program.ops), 0, -1):
        for index in program.ops[step - 1].inputs:
            last_use.setdefault(roots.get(index, index), step)
    # What is made before a loop and read in it is read in its last turn, too.
    made: dict[int, int] = {}
    for step, op in enumerate(program.ops, start=1):
        for index in op.outputs:
            made.setdefault(roots.get(index, index), step)
    for first, last in program.loops:
        for index, step in last_use.items():
            if made.get(index, 0) <= first < step <= last:
                last_use[index] = last + 1
    # What lives on between inferences is never anybody else's: not before the first step, nor after the last.
    return last_use | dict.fromkeys(program.initial, end + 1)


def _block(tensor: Tensor, first: int, last: int) -> Block:
    return Block(tensor.bytes, first, last, element_bytes(tensor))
