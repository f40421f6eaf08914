# SPDX-License-Identifier: Apache-2.0
"""The memory plan: every tensor gets a fixed place in one arena, whose exact size is known before anything is built.

Two tensors share bytes when they are never alive together. Greedy by size, as in "Efficient Memory Management for Deep
Neural Net Inference" (Pisarchyk and Lee, 2020): the largest first, each at the lowest free place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from export.lowering import Program

ARENA_ALIGNMENT = 16  # of the arena itself; engine_compiled.c sees to it
WORD = 4  # kernels may read whole words of tensors that have any


@dataclass
class Block:
    """Bytes for one tensor, or several that follow one another in place. Alive from step `first` to step `last`."""

    size: int
    first: int
    last: int
    tensors: list[int] = field(default_factory=list)
    offset: int = 0

    @property
    def alignment(self) -> int:
        return WORD if self.size >= WORD else 1


@dataclass(frozen=True)
class MemoryPlan:
    """`offsets`: tensor index -> byte offset in the arena. `tensor_bytes`: what they would take without sharing."""

    arena_bytes: int
    offsets: dict[int, int]
    tensor_bytes: int


def plan_memory(program: Program) -> MemoryPlan:
    """Step 0 is the arrival of the input; op k runs at step k + 1; the output is read after the last."""
    tensors = program.graph.tensors
    end = len(program.ops) + 1
    last_use = {program.output.index: end}
    for step in range(len(program.ops), 0, -1):
        for index in program.ops[step - 1].inputs:
            last_use.setdefault(index, step)

    blocks = {program.input.index: Block(program.input.elements, 0, last_use.get(program.input.index, 0))}
    blocks[program.input.index].tensors.append(program.input.index)
    for step, op in enumerate(program.ops, start=1):
        for position, index in enumerate(op.outputs):
            size, last = tensors[index].elements, last_use.get(index, step)
            block = blocks[op.inputs[0]]
            if position == 0 and op.in_place and last_use[op.inputs[0]] == step and size <= block.size:
                block.last = last
            else:
                block = Block(size, step, last)
            block.tensors.append(index)
            blocks[index] = block

    placed: list[Block] = []
    unique = {id(block): block for block in blocks.values()}.values()
    for block in sorted(unique, key=lambda b: (-b.size, b.first, b.tensors[0])):
        _place(block, placed)
        placed.append(block)
    return MemoryPlan(
        max(block.offset + block.size for block in placed),
        {index: block.offset for index, block in blocks.items()},
        sum(tensors[index].elements for index in blocks),
    )


def _place(block: Block, placed: list[Block]) -> None:
    """Lowest aligned offset that no block alive at the same time overlaps."""
    rivals = [other for other in placed if other.first <= block.last and block.first <= other.last]
    for other in sorted(rivals, key=lambda b: b.offset):
        if block.offset + block.size <= other.offset:
            return
        end = max(block.offset, other.offset + other.size)
        block.offset = -(-end // block.alignment) * block.alignment
