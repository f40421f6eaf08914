# SPDX-License-Identifier: Apache-2.0
"""GATHER, GATHER_ND and EMBEDDING_LOOKUP. Where an index names no row TFLite Micro reads beyond the input or gives up;
here it is the nearest row, as in the compiled engine."""

from __future__ import annotations

import math

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes


@computes("GATHER")
def gather(op: BoundOperator, x: Array, indices: Array) -> Array:
    axis, batch_dims = op.option("axis") % x.ndim, op.option("batch_dims")
    batch_dims += indices.ndim if batch_dims < 0 else 0
    if batch_dims > axis or x.shape[:batch_dims] != indices.shape[:batch_dims]:
        raise ValueError
    indices = np.clip(indices, 0, x.shape[axis] - 1)
    batches = math.prod(x.shape[:batch_dims])
    parts = x.reshape(batches, *x.shape[batch_dims:])
    names = indices.reshape(batches, *indices.shape[batch_dims:])
    along = axis - batch_dims
    return np.stack([np.take(part, name, axis=along) for part, name in zip(parts, names, strict=True)])


@computes("GATHER_ND")
def gather_nd(op: BoundOperator, x: Array, indices: Array) -> Array:
    depth = indices.shape[-1]
    row = math.prod(x.shape[depth:])
    steps = np.array([math.prod(x.shape[axis + 1 : depth]) for axis in range(depth)], np.int64)
    places = np.clip(indices @ steps, 0, x.size // row - 1)
    rows: Array = x.reshape(-1, row)[places]
    return rows


@computes("EMBEDDING_LOOKUP")
def embedding_lookup(op: BoundOperator, indices: Array, rows: Array) -> Array:
    return rows[np.clip(indices, 0, len(rows) - 1)]
