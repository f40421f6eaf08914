# SPDX-License-Identifier: Apache-2.0
"""STRIDED_SLICE and SLICE: a part of the input."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT32_MAX
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import INDEX_TYPES, element_bytes
from tinyproof.export.ops.strided import Strided, Walk

INT32_MIN = -INT32_MAX - 1


class StridedSlice(Strided):
    """begin, end and strides are constants, one for each dimension. Masks of begin, end and shrunk axes count; TFLM
    ignores those of ellipses and new axes, and `offset`, where the shapes let it."""

    names = ("STRIDED_SLICE",)
    max_version = 8
    types = ("int8", "int16", "int32", "bool")
    input_count = 4

    def prepare(self) -> Walk:
        rank = len(self.x.shape)
        self.check_rank(self.x, 1, 4)
        begins, ends, strides = (self.fixed(i, role) for i, role in enumerate(("begin", "end", "stride"), 1))
        if min(map(len, (begins, ends, strides))) < rank or 0 in strides:
            raise self.refuse(f"needs a begin, an end and a stride other than 0 for each of {rank} dimensions")
        option = self.operator.options
        walk, shape = [], []
        for axis, size in enumerate(self.x.shape):
            begin_masked, end_masked, shrunk = (
                option.get(name, 0) >> axis & 1 for name in ("begin_mask", "end_mask", "shrink_axis_mask")
            )
            begin, end, stride = begins[axis], ends[axis], strides[axis]
            positions = range(
                *slice(None if begin_masked else begin, None if end_masked else end, stride).indices(size)
            )
            if shrunk:
                first = 0 if begin_masked else max(begin + size * (begin < 0), 0)
                if first >= size or stride < 0:
                    raise self.refuse(f"element {begin} of dimension {axis} does not exist, or its stride is negative")
                positions = range(first, first + 1)
            else:
                shape.append(len(positions))
            if not positions:
                raise self.refuse(f"takes nothing of dimension {axis}")
            if not INT32_MIN <= positions[-1] + stride <= INT32_MAX:
                raise self.refuse(f"stride {stride} overflows 32 bits in TFLite Micro")
            self.offset += positions[0] * self.strides[axis]
            walk.append((len(positions), positions.step * self.strides[axis]))
        self.check_shape(self.y, shape)
        return walk


class Slice(Strided):
    """`begin` may be computed. `size` says nothing beyond what the output's shape does."""

    names = ("SLICE",)
    max_version = 6
    types = ("int8", "int16", "int32", "bool")
    input_count = 3

    def prepare(self) -> Walk:
        self.check_rank(self.x, 1, 5)
        begin, size = (self.tensor(self.operator.inputs, i, role) for i, role in enumerate(("begin", "size"), 1))
        rank = len(self.x.shape)
        self.check_type(begin, "begin", INDEX_TYPES)
        self.check_type(size, "size", (begin.dtype,))
        if begin.shape != (rank,) or size.shape != (rank,) or len(self.y.shape) != rank:
            raise self.refuse(f"needs a begin and a size for each of {rank} dimensions, and makes as many")
        self.limits = [whole - part for whole, part in zip(self.x.shape, self.y.shape, strict=True)]
        if min(self.limits) < 0:
            raise self.refuse(f"output {list(self.y.shape)} is larger than the input {list(self.x.shape)}")
        self._check_size(begin, size)
        if begin.data is None:
            self.kernel = "moving_slice"
            self.index_bytes = element_bytes(begin)
            self.take(self.x, begin)
        else:
            self.offset = self._fixed_offset(unpack(begin.data, begin.dtype))
        return list(zip(self.y.shape, self.strides, strict=True))

    def _fixed_offset(self, begins: tuple[int, ...]) -> int:
        if any(not 0 <= begin <= limit for begin, limit in zip(begins, self.limits, strict=True)):
            raise self.refuse(f"a slice of {list(self.y.shape)} from {list(begins)} is not within {list(self.x.shape)}")
        return sum(begin * step for begin, step in zip(begins, self.strides, strict=True))

    def _check_size(self, begin: Tensor, size: Tensor) -> None:
        """-1 is whatever is left behind `begin`."""
        if size.data is None:
            return
        begins = self.limits if begin.data is None else unpack(begin.data, begin.dtype)
        wanted = unpack(size.data, size.dtype)
        left = [whole - first for whole, first in zip(self.x.shape, begins, strict=True)]
        self.check_shape(self.y, [rest if part == -1 else part for part, rest in zip(wanted, left, strict=True)])

    def parameters(self, prefix: str) -> dict[str, str]:
        walk = super().parameters(prefix)
        if self.kernel != "moving_slice":
            return walk
        return {
            "dimensions": str(len(self.x.shape)),
            "index_bytes": str(self.index_bytes),
            "limits": braces(self.limits, 5),
            "strides": braces(self.strides, 5),
            "walk": "{" + ", ".join(f".{name} = {value}" for name, value in walk.items()) + "}",
        }
