# SPDX-License-Identifier: Apache-2.0
"""MIRROR_PAD, RESIZE_NEAREST_NEIGHBOR and BATCH_TO_SPACE_ND: along each dimension the output reads the input at places
that a list holds."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import float32
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, braces
from tinyproof.export.ops.moving import INDEX_TYPES, Moving, byte_strides, element_bytes

MAX_LISTED = 1 << 16  # places in all lists of an operator; bounds what a hostile file makes us write


class Listed(Moving):
    """`prepare` returns the list of each dimension of the output, outermost first, in bytes of the input."""

    kernel = "listed_copy"
    code_bytes = 260
    types: ClassVar[tuple[str, ...]] = ("int8",)
    input_count: ClassVar[int]

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(self.input_count)
        self.x, self.y = self.pair()
        self.take(self.x)
        self.outputs = (self.y.index,)
        self.strides = byte_strides(self.x)
        if sum(self.y.shape) > MAX_LISTED:
            raise self.refuse(f"output {list(self.y.shape)} has over {MAX_LISTED:,} rows and columns")
        lists = self.prepare()
        self.row = element_bytes(self.x)
        while lists and lists[-1] == [self.row * place for place in range(len(lists[-1]))]:
            self.row *= len(lists.pop())
        self.lists = [places for places in lists if places != [0]] or [[0]]

    @abstractmethod
    def prepare(self) -> list[list[int]]:
        """The lists. Raises InputFileError for what is not supported."""

    def constants(self) -> list[Constant]:
        return [*super().constants(), Constant("places", "int32_t", [place for each in self.lists for place in each])]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "dimensions": str(len(self.lists)),
            "counts": braces(list(map(len, self.lists)), 8),
            "row_bytes": str(self.row),
            "places": f"{prefix}_places",
        }


class MirrorPad(Listed):
    """Around every dimension, with what lies inside of the edge: SYMMETRIC repeats the edge, REFLECT does not."""

    names = ("MIRROR_PAD",)
    max_version = 3
    input_count = 2

    def prepare(self) -> list[list[int]]:
        flat = self.fixed(1, "paddings", INDEX_TYPES)
        rank = len(self.x.shape)
        self.check_rank(self.x, 1, 8)
        if self.tensor(self.operator.inputs, 1, "paddings").shape != (rank, 2) or min(flat) < 0:
            raise self.refuse(f"paddings {list(flat)[:10]} must be a pair of sizes for each dimension")
        before, after = flat[0::2], flat[1::2]
        self.check_shape(
            self.y, [first + size + last for first, size, last in zip(before, self.x.shape, after, strict=True)]
        )
        inner = 0 if self.operator.options.get("mode", 0) != 0 else 1
        if any(first + inner > size for first, size in zip(before, self.x.shape, strict=True) if first):
            raise self.refuse(f"paddings {list(flat)[:10]} reach beyond the input {list(self.x.shape)}")
        lists = []
        for size, first, last, step in zip(self.x.shape, before, after, self.strides, strict=True):
            mirrored = [first + inner - 1 - place for place in range(first)]
            # TFLM repeats the first element where there are none left.
            beyond = [max(size - 1 - inner - place, 0) for place in range(last)]
            lists.append([place * step for place in (*mirrored, *range(size), *beyond)])
        return lists


class ResizeNearestNeighbor(Listed):
    """The arithmetic is TFLM's, in float32 (reference/resize_nearest_neighbor.h)."""

    names = ("RESIZE_NEAREST_NEIGHBOR",)
    max_version = 4
    types = ("int8", "int16")
    input_count = 2

    def prepare(self) -> list[list[int]]:
        self.check_rank(self.x, 4, 4)
        batches, height, width, depth = self.x.shape
        size = self.fixed(1, "size")
        if len(size) != 2:
            raise self.refuse("takes a height and a width")
        self.check_shape(self.y, (batches, *size, depth))
        self.aligned = bool(self.operator.options.get("align_corners", 0))
        self.centred = bool(self.operator.options.get("half_pixel_centers", 0))
        lists = [range(batches), self._nearest(height, size[0]), self._nearest(width, size[1]), range(depth)]
        return [[place * step for place in places] for places, step in zip(lists, self.strides, strict=True)]

    def _nearest(self, size: int, count: int) -> list[int]:
        scale = float32((size - 1) / (count - 1) if self.aligned and count > 1 else size / count)
        found = []
        for place in range(count):
            value = float32((place + (0.5 if self.centred else 0.0)) * scale)
            found.append(min(math.floor(value + 0.5) if self.aligned else math.floor(value), size - 1))
        return found


class BatchToSpace(Listed):
    """The batch is divided into blocks of space, which are then cropped."""

    names = ("BATCH_TO_SPACE_ND",)
    max_version = 4
    input_count = 3

    def prepare(self) -> list[list[int]]:
        self.check_rank(self.x, 3, 4)
        spatial = len(self.x.shape) - 2
        blocks, crops = self.fixed(1, "block shape"), self.fixed(2, "crops")
        if len(blocks) != spatial or len(crops) != 2 * spatial or min(blocks) < 1 or min(crops) < 0:
            raise self.refuse(f"needs a block size and two crops for each of {spatial} dimensions")
        several = math.prod(blocks)
        if self.x.shape[0] % several:
            raise self.refuse(f"{self.x.shape[0]} batches cannot be divided into blocks of {list(blocks)}")
        batches = self.x.shape[0] // several
        sizes = self.x.shape[1 : 1 + spatial]
        left = [
            size * block - crops[2 * k] - crops[2 * k + 1]
            for k, (size, block) in enumerate(zip(sizes, blocks, strict=True))
        ]
        self.check_shape(self.y, (batches, *left, self.x.shape[-1]))
        lists = [[place * self.strides[0] for place in range(batches)]]
        for k, block in enumerate(blocks):
            apart = math.prod(blocks[k + 1 :]) * batches * self.strides[0]
            places = range(crops[2 * k], crops[2 * k] + left[k])
            lists.append([place // block * self.strides[1 + k] + place % block * apart for place in places])
        return [*lists, [place * self.strides[-1] for place in range(self.x.shape[-1])]]
