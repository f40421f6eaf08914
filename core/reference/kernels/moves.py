# SPDX-License-Identifier: Apache-2.0
"""Operators that move bytes and change none."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, integers


@computes("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
def reshape(op: BoundOperator, x: Array, *shape: Array | None) -> Array:
    return x.reshape(op.y.shape)


@computes("TRANSPOSE")
def transpose(op: BoundOperator, x: Array, permutation: Array) -> Array:
    return x.transpose(integers(permutation))


@computes("CONCATENATION")
def concatenation(op: BoundOperator, *parts: Array) -> Array:
    return np.concatenate(parts, axis=op.option("axis"))


@computes("SPLIT")
def split(op: BoundOperator, axis: Array, x: Array) -> list[Array]:
    return np.split(x, len(op.outputs), axis=int(axis.item()))


@computes("PAD", "PADV2")
def pad(op: BoundOperator, x: Array, paddings: Array, value: Array | None = None) -> Array:
    """With the zero point where there is no value: PAD."""
    filling = op.y.zero_points[0] if value is None else int(value.item())
    return np.pad(x, paddings.reshape(-1, 2), constant_values=filling)


@computes("STRIDED_SLICE")
def strided_slice(op: BoundOperator, x: Array, begins: Array, ends: Array, strides: Array) -> Array:
    """Bit i of a mask: dimension i begins or ends at its end, or shrinks to one element."""
    places: list[int | slice] = []
    for axis, (begin, end, stride) in enumerate(zip(*map(integers, (begins, ends, strides)), strict=True)):
        begin_masked, end_masked, shrunk = (
            op.option(name) >> axis & 1 for name in ("begin_mask", "end_mask", "shrink_axis_mask")
        )
        walk = slice(None if begin_masked else begin, None if end_masked else end, stride)
        places.append(begin if shrunk else walk)
    return x[tuple(places)]


@computes("PACK")
def pack(op: BoundOperator, *parts: Array) -> Array:
    """The inputs one after the other along a new axis."""
    return np.stack(parts, axis=op.option("axis"))
