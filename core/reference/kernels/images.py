# SPDX-License-Identifier: Apache-2.0
"""Operators on height and width: resizing, and blocks of space exchanged for depth or batch."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, integers


@computes("SPACE_TO_DEPTH")
def space_to_depth(op: BoundOperator, x: Array) -> Array:
    block = op.option("block_size")
    batches, height, width, depth = x.shape
    parts = x.reshape(batches, height // block, block, width // block, block, depth)
    return parts.transpose(0, 1, 3, 2, 4, 5)


@computes("DEPTH_TO_SPACE")
def depth_to_space(op: BoundOperator, x: Array) -> Array:
    block = op.option("block_size")
    batches, height, width, depth = x.shape
    parts = x.reshape(batches, height, width, block, block, depth // block // block)
    return parts.transpose(0, 1, 3, 2, 4, 5)


@computes("SPACE_TO_BATCH_ND")
def space_to_batch(op: BoundOperator, x: Array, blocks: Array, paddings: Array) -> Array:
    """Without padding, whose value TFLite Micro never sets. A list is height alone."""
    if paddings.any():
        raise ValueError
    down, across, image = _blocks(x, blocks)
    batches, height, width, depth = image.shape
    parts = image.reshape(batches, height // down, down, width // across, across, depth)
    return parts.transpose(2, 4, 0, 1, 3, 5)


@computes("BATCH_TO_SPACE_ND")
def batch_to_space(op: BoundOperator, x: Array, blocks: Array, crops: Array) -> Array:
    down, across, image = _blocks(x, blocks)
    batches, height, width, depth = image.shape
    parts = image.reshape(down, across, batches // down // across, height, width, depth)
    whole = parts.transpose(2, 3, 0, 4, 1, 5).reshape(-1, height * down, width * across, depth)
    (top, bottom), (left, right) = (*crops.reshape(-1, 2), (0, 0))[:2]
    return whole[:, top : height * down - bottom, left : width * across - right]


def _blocks(x: Array, blocks: Array) -> tuple[int, int, Array]:
    """A block's height and width, and the input with both."""
    down, across = (*integers(blocks), 1)[:2]
    return down, across, x if x.ndim == 4 else x[:, :, np.newaxis]


@computes("RESIZE_NEAREST_NEIGHBOR")
def resize_nearest_neighbor(op: BoundOperator, x: Array, size: Array) -> Array:
    """reference/resize_nearest_neighbor.h, in float32."""
    for axis in (1, 2):
        x = np.take(x, _nearest(op, x.shape[axis], op.y.shape[axis]), axis=axis)
    return x


def _nearest(op: BoundOperator, size: int, count: int) -> Array:
    aligned, centred = op.option("align_corners"), op.option("half_pixel_centers")
    inner = 1 if aligned and count > 1 else 0
    scale = np.float32(size - inner) / np.float32(count - inner)
    places = (np.arange(count, dtype=np.float32) + np.float32(0.5 if centred else 0)) * scale
    whole = np.floor(places.astype(np.float64) + 0.5) if aligned else np.floor(places)
    return np.minimum(whole.astype(np.int64), size - 1)


@computes("RESIZE_BILINEAR")
def resize_bilinear(op: BoundOperator, x: Array, size: Array) -> Array:
    """reference/resize_bilinear.h, ResizeBilinearInteger: weights of 1/1024, rounded once, ties away from zero."""
    (_, height, width, _), (_, rows, columns, _) = x.shape, op.y.shape
    above, below, down = _between(op, height, rows)
    first, second, right = _between(op, width, columns)
    down = down[:, np.newaxis, np.newaxis]
    right = right[:, np.newaxis]
    upper, lower = x[:, above], x[:, below]
    at_first: Array = upper[:, :, first] * (1024 - down) + lower[:, :, first] * down
    at_second: Array = upper[:, :, second] * (1024 - down) + lower[:, :, second] * down
    sums = at_first * (1024 - right) + at_second * right
    rounded: Array = np.sign(sums) * ((np.abs(sums) + (1 << 19)) >> 20)
    return rounded


def _between(op: BoundOperator, size: int, count: int) -> tuple[Array, Array, Array]:
    """The two places of each row or column, and the second one's weight."""
    scale = (1024 * size + count // 2) // count
    if op.option("align_corners") and count > 1:
        scale = (1024 * (size - 1) + (count - 1) // 2) // (count - 1)
    scaled = np.arange(count) * scale + (scale // 2 - 512 if op.option("half_pixel_centers") else 0)
    lower = np.maximum(scaled // 1024, 0)
    return lower, np.minimum((scaled + 1023) // 1024, size - 1), scaled - 1024 * lower
