# SPDX-License-Identifier: Apache-2.0
"""Operators that move elements and change none. What they make has the shape of the output's tensor, so that sizes in
constants, which nobody vouches for, allocate nothing."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, integers, wrap


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


@computes("SPLIT_V")
def split_v(op: BoundOperator, x: Array, sizes: Array, axis: Array) -> list[Array]:
    """Of the sizes that the outputs have."""
    along = int(axis.item())
    ends = np.cumsum([y.shape[along] for y in op.outputs])
    return np.split(x, ends[:-1], axis=along)


@computes("PAD", "PADV2")
def pad(op: BoundOperator, x: Array, paddings: Array, value: Array | None = None) -> Array:
    """Without a value: with the zero point of int8, with 0 of other types."""
    quantized = op.y.dtype == "int8" and op.y.zero_points
    filling = int(value.item()) if value is not None else op.y.zero_points[0] if quantized else 0
    padded: Array = np.full(op.y.shape, filling, np.int64)
    padded[_part([pair[0] for pair in paddings.reshape(-1, 2)], x.shape)] = x
    return padded


def _part(begins: Array | list[int], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(begin, begin + size) for begin, size in zip(integers(begins), shape, strict=True))


@computes("MIRROR_PAD")
def mirror_pad(op: BoundOperator, x: Array, paddings: Array) -> Array:
    """micro/kernels/mirror_pad.cc, GetInputDimension."""
    offset = 1 if op.option("mode") == 0 else 0
    for axis, (before, _) in enumerate(paddings.reshape(-1, 2)):
        size = x.shape[axis]
        places = np.arange(op.y.shape[axis])
        first, last = before + offset - 1, size - 1 - offset
        inside, beyond = places - before, places - before - size
        mirrored = np.where(places < before, first - np.minimum(places, first - offset), inside)
        mirrored = np.where(beyond >= 0, last - np.minimum(beyond, last), mirrored)
        x = np.take(x, mirrored, axis=axis)
    return x


@computes("STRIDED_SLICE")
def strided_slice(op: BoundOperator, x: Array, begins: Array, ends: Array, strides: Array) -> Array:
    """Bit i of a mask: dimension i begins or ends at its end, or shrinks to one element."""
    places: list[int | slice] = []
    columns = (integers(numbers)[: x.ndim] for numbers in (begins, ends, strides))
    for axis, (begin, end, stride) in enumerate(zip(*columns, strict=True)):
        begin_masked, end_masked, shrunk = (
            op.option(name) >> axis & 1 for name in ("begin_mask", "end_mask", "shrink_axis_mask")
        )
        walk = slice(None if begin_masked else begin, None if end_masked else end, stride)
        first = 0 if begin_masked else max(begin, -x.shape[axis])
        places.append(first if shrunk else walk)
    return x[tuple(places)]


@computes("SLICE")
def slice_(op: BoundOperator, x: Array, begin: Array, size: Array) -> Array:
    """The output's shape says how much; a begin that is too far ends with the input, where TFLite Micro reads on."""
    limits = np.subtract(x.shape, op.y.shape)
    return x[_part(np.clip(begin, 0, limits), op.y.shape)]


@computes("DYNAMIC_UPDATE_SLICE")
def dynamic_update_slice(op: BoundOperator, x: Array, update: Array, begin: Array) -> Array:
    updated = x.copy()
    limits = np.subtract(x.shape, update.shape)
    updated[_part(np.clip(begin, 0, limits), update.shape)] = update
    return updated


@computes("PACK")
def pack(op: BoundOperator, *parts: Array) -> Array:
    """The inputs one after the other along a new axis."""
    return np.stack(parts, axis=op.option("axis"))


@computes("UNPACK")
def unpack(op: BoundOperator, x: Array) -> list[Array]:
    """The reverse: each part without the axis."""
    return list(np.moveaxis(x, op.option("axis"), 0))


@computes("REVERSE_V2")
def reverse(op: BoundOperator, x: Array, axes: Array) -> Array:
    """Along neighbours. Where TFLite Micro gives up, since there are no such axes, the nearest ones are taken."""
    last = x.ndim - axes.size
    first = max(0, min(last, int(np.where(axes < 0, axes + x.ndim, axes).min())))
    return np.flip(x, axis=tuple(range(first, first + axes.size)))


@computes("BROADCAST_TO")
def broadcast_to(op: BoundOperator, x: Array, shape: Array) -> Array:
    return np.broadcast_to(x, op.y.shape)


@computes("BROADCAST_ARGS")
def broadcast_args(op: BoundOperator, first: Array, second: Array) -> Array:
    """In the low 32 bits of each size (reference/broadcast_args.h)."""
    count = op.y.elements
    sizes = [
        wrap(np.concatenate([np.ones(max(0, count - len(each)), np.int64), each[max(0, len(each) - count) :]]))
        for each in (first, second)
    ]
    return np.where(sizes[0] == 1, sizes[1], sizes[0])


@computes("FILL")
def fill(op: BoundOperator, shape: Array, value: Array) -> Array:
    return np.full(op.y.shape, int(value.item()), np.int64)


@computes("ZEROS_LIKE")
def zeros_like(op: BoundOperator, x: Array) -> Array:
    return np.zeros(op.y.shape, np.int64)


@computes("SHAPE")
def shape(op: BoundOperator, x: Array) -> Array:
    """The sizes of the input's dimensions, of which nothing else is known; int32 alone, as in TFLite Micro."""
    if op.y.dtype != "int32":
        raise ValueError
    return np.array(op.x.shape, np.int64)
