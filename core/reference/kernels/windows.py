# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes


@computes("MAX_POOL_2D")
def max_pool(op: BoundOperator, x: Array) -> Array:
    y = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _windows(op, x):
        y[:, row, column] = seen.max(axis=(1, 2))
    return op.clamp(y)


@computes("AVERAGE_POOL_2D")
def average_pool(op: BoundOperator, x: Array) -> Array:
    """Of raw bytes over what a window covers, rounded half away from zero (reference/integer_ops/pooling.h)."""
    y = np.zeros(op.y.shape, np.int64)
    for row, column, seen in _windows(op, x):
        total, count = seen.sum(axis=(1, 2)), seen.shape[1] * seen.shape[2]
        y[:, row, column] = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return op.clamp(y)


def _windows(op: BoundOperator, x: Array) -> Iterator[tuple[int, int, Array]]:
    """For each output (row, column) the part of the input under its window, without padding."""
    axes = []
    for size, out, axis in zip(x.shape[1:3], op.y.shape[1:3], (("height", "h"), ("width", "w")), strict=True):
        extent, stride = op.option(f"filter_{axis[0]}"), op.option(f"stride_{axis[1]}")
        before = max((out - 1) * stride + extent - size, 0) // 2
        starts = [place * stride - before for place in range(out)]
        axes.append([slice(max(start, 0), start + extent) for start in starts])
    for row, rows in enumerate(axes[0]):
        for column, columns in enumerate(axes[1]):
            yield row, column, x[:, rows, columns]
