# SPDX-License-Identifier: Apache-2.0
"""Operators that move bytes and change none."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.step import Array, Step, integers


def reshape(step: Step, x: Array, *shape: Array | None) -> Array:
    return x.reshape(step.y.shape)


def transpose(step: Step, x: Array, permutation: Array) -> Array:
    return x.transpose(integers(permutation))


def concatenation(step: Step, *parts: Array) -> Array:
    return np.concatenate(parts, axis=step.option("axis"))


def split(step: Step, axis: Array, x: Array) -> list[Array]:
    return np.split(x, len(step.outputs), axis=int(axis.item()))


def pad(step: Step, x: Array, paddings: Array, value: Array | None = None) -> Array:
    """With the zero point where there is no value: PAD."""
    filling = step.y.zero_points[0] if value is None else int(value.item())
    return np.pad(x, paddings.reshape(-1, 2), constant_values=filling)


def strided_slice(step: Step, x: Array, begins: Array, ends: Array, strides: Array) -> Array:
    """Bit i of a mask: dimension i begins or ends at its end, or shrinks to one element."""
    places: list[int | slice] = []
    for axis, (begin, end, stride) in enumerate(zip(*map(integers, (begins, ends, strides)), strict=True)):
        begin_masked, end_masked, shrunk = (
            step.option(name) >> axis & 1 for name in ("begin_mask", "end_mask", "shrink_axis_mask")
        )
        walk = slice(None if begin_masked else begin, None if end_masked else end, stride)
        places.append(begin if shrunk else walk)
    return x[tuple(places)]
