# SPDX-License-Identifier: Apache-2.0
"""SPACE_TO_DEPTH, DEPTH_TO_SPACE and SPACE_TO_BATCH_ND: blocks of space exchanged for depth or batch."""

from __future__ import annotations

from tinyproof.export.ops.strided import Strided, Walk


class _Depth(Strided):
    max_version = 2
    types = ("int8",)
    input_count = 1

    def block(self) -> int:
        self.check_rank(self.x, 4, 4)
        block = self.operator.options.get("block_size", 0)
        if not 1 <= block <= max(self.x.shape):
            raise self.refuse(f"block size {block} does not fit the input {list(self.x.shape)}")
        return block


class SpaceToDepth(_Depth):
    names = ("SPACE_TO_DEPTH",)

    def prepare(self) -> Walk:
        block = self.block()
        batches, height, width, depth = self.x.shape
        if height % block or width % block:
            raise self.refuse(f"{height} x {width} cannot be divided into blocks of {block} x {block}")
        self.check_shape(self.y, (batches, height // block, width // block, depth * block * block))
        batch, row, column, element = self.strides
        return [
            *((batches, batch), (height // block, row * block), (width // block, column * block)),
            *((block, row), (block, column), (depth, element)),
        ]


class DepthToSpace(_Depth):
    names = ("DEPTH_TO_SPACE",)

    def prepare(self) -> Walk:
        block = self.block()
        batches, height, width, depth = self.x.shape
        if depth % (block * block):
            raise self.refuse(f"depth {depth} cannot be divided into blocks of {block} x {block}")
        left = depth // block // block
        self.check_shape(self.y, (batches, height * block, width * block, left))
        batch, row, column, element = self.strides
        return [
            *((batches, batch), (height, row), (block, block * left * element)),
            *((width, column), (block, left * element), (left, element)),
        ]


class SpaceToBatch(Strided):
    """Without padding, whose value TFLite Micro reads from memory that nobody has set."""

    names = ("SPACE_TO_BATCH_ND",)
    max_version = 4
    types = ("int8",)
    input_count = 3

    def prepare(self) -> Walk:
        self.check_rank(self.x, 3, 4)
        spatial = len(self.x.shape) - 2
        blocks, paddings = self.fixed(1, "block shape"), self.fixed(2, "paddings")
        if len(blocks) != spatial or len(paddings) != 2 * spatial:
            raise self.refuse(f"needs a block size and two paddings for each of {spatial} dimensions")
        if any(paddings):
            raise self.refuse("pads, with a value that TFLite Micro never sets: put a PAD before it")
        sizes = self.x.shape[1 : 1 + spatial]
        if any(block < 1 or size % block for block, size in zip(blocks, sizes, strict=True)):
            raise self.refuse(f"{list(sizes)} cannot be divided into blocks of {list(blocks)}")
        (batches, batch), *places, (depth, element) = zip(self.x.shape, self.strides, strict=True)
        several = blocks[0] * (blocks[1] if spatial == 2 else 1)
        left = [size // block for size, block in zip(sizes, blocks, strict=True)]
        self.check_shape(self.y, (batches * several, *left, depth))
        steps = [step for _, step in places]
        return [
            *zip(blocks, steps, strict=True),
            (batches, batch),
            *((size, step * block) for size, step, block in zip(left, steps, blocks, strict=True)),
            (depth, element),
        ]
