# SPDX-License-Identifier: Apache-2.0
"""The memory plan: every tensor gets a fixed place in one arena, whose exact size is known before anything is built.

Two tensors share bytes when they are never alive together. The smaller of two plans is taken: greedy by size, as in
"Efficient Memory Management for Deep Neural Net Inference" (Pisarchyk and Lee, 2020), and, for a chain, from both ends.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.lowering import Program
from tinyproof.export.ops.base import alignment
from tinyproof.export.ops.moving import element_bytes

ARENA_ALIGNMENT = 16  # of the arena itself; engine_compiled.c sees to it


@dataclass
class Block:
    """Bytes for one tensor, or several that follow one another in place. Alive from step `first` to step `last`.

    `element`: bytes of the widest element that lies in it.
    """

    size: int
    first: int
    last: int
    element: int = 1
    offset: int = 0

    @property
    def alignment(self) -> int:
        """What its offset must be a multiple of."""
        return alignment(self.size, self.element)


@dataclass(frozen=True)
class MemoryPlan:
    """`offsets`: tensor index -> byte offset in the arena. `tensor_bytes`: what they would take without sharing.
    `scratch`: number of an operator -> byte offset of what its kernel works in."""

    arena_bytes: int
    offsets: dict[int, int]
    tensor_bytes: int
    scratch: dict[int, int] = field(default_factory=dict)


def plan_memory(program: Program) -> MemoryPlan:
    """Step 0 is the arrival of the input; op k runs at step k + 1; the output is read after the last."""
    tensors = program.graph.tensors
    blocks = _blocks(program)
    scratch = {
        step - 1: Block(op.working_bytes, step, step)
        for step, op in enumerate(program.ops, start=1)
        if op.working_bytes
    }
    unique = list({id(block): block for block in blocks.values()}.values())  # in the order of their first step
    unique += scratch.values()  # alive together with two others, so that a chain with scratch is no chain
    plans = [plan for plan in (_two_ended(unique), _greedy_by_size(unique)) if plan is not None]
    places = min(plans, key=lambda plan: _size(unique, plan))
    for block, offset in zip(unique, places, strict=True):
        block.offset = offset
    return MemoryPlan(
        _size(unique, places),
        {index: block.offset + program.roots.get(index, (index, 0))[1] for index, block in blocks.items()},
        sum(tensors[index].bytes for index in blocks),
        {number: block.offset for number, block in scratch.items()},
    )


def _blocks(program: Program) -> dict[int, Block]:
    """Tensor index -> the block in which it lies."""
    tensors = program.graph.tensors
    roots = {index: root for index, (root, _) in program.roots.items()}
    last_use = _last_uses(program, roots)
    blocks: dict[int, Block] = {}
    for index in (*(tensor.index for tensor in program.inputs), *program.initial):
        blocks[index] = _block(tensors[index], 0, last_use.get(index, 0))
    for step, op in enumerate(program.ops, start=1):
        for position, index in enumerate(op.outputs):
            if index in program.initial:
                continue
            if index in blocks:  # what comes out of IF and WHILE is written in two places
                blocks[index].last = max(blocks[index].last, step)
                continue
            if index in roots:
                blocks[index] = blocks[roots[index]]
                continue
            block = _block(tensors[index], step, last_use.get(index, step))
            if position == 0 and op.inputs and op.in_place:
                # Only at equal size: a smaller output would keep all of a large input's bytes alive.
                x, other = roots.get(op.inputs[0], op.inputs[0]), blocks[op.inputs[0]]
                if last_use[x] == step and block.size == other.size:
                    other.last = block.last
                    block = other
            blocks[index] = block
    return blocks


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


def _size(blocks: list[Block], places: list[int]) -> int:
    return max(offset + block.size for block, offset in zip(blocks, places, strict=True))


def _meet(a: Block, b: Block) -> bool:
    return a.first <= b.last and b.first <= a.last


def _aligned(offset: int, block: Block) -> int:
    return -(-offset // block.alignment) * block.alignment


def _two_ended(blocks: list[Block]) -> list[int] | None:
    """Blocks in turn at the bottom and at the top: the smallest plan there is for a chain of layers, where only
    neighbours meet. None where others meet, too."""
    for i, block in enumerate(blocks):
        if any(_meet(block, other) for other in blocks[i + 2 :]):
            return None
    top = blocks[0].size
    for a, b in itertools.pairwise(blocks):
        top = max(top, _aligned(a.size, b) + b.size, _aligned(b.size, a) + a.size)
    return [0 if i % 2 == 0 else (top - b.size) // b.alignment * b.alignment for i, b in enumerate(blocks)]


def _greedy_by_size(blocks: list[Block]) -> list[int]:
    """The largest first, each at the lowest offset where it overlaps no block that is alive at the same time."""
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for i in sorted(range(len(blocks)), key=lambda i: (-blocks[i].size, i)):
        rivals = [j for j in placed if _meet(blocks[i], blocks[j])]
        for j in sorted(rivals, key=offsets.__getitem__):
            if offsets[i] + blocks[i].size <= offsets[j]:
                break
            offsets[i] = _aligned(max(offsets[i], offsets[j] + blocks[j].size), blocks[i])
        placed.append(i)
    return offsets
