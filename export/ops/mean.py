# SPDX-License-Identifier: Apache-2.0
"""MEAN over dimensions that are neighbours, such as height and width."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op

MAX_COUNT = 1 << 22  # 255 times as much stays in 32 bits


class Mean(Op):
    """y_q = zero_point + rescale(sum (x_q - x_zero_point)), with 1 / count in the multiplier (reference/reduce.h)."""

    names = ("MEAN",)
    code_bytes = 260
    max_version = 3
    kernel = "mean_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self._read_axes(self.integers(1, "axes", "axes"))
        ratio = self.x.scales[0] / self.y.scales[0]
        multiplier, shift = quantize_multiplier(ratio) if math.isfinite(ratio) else (0, 32)
        log2_count = min(self.count.bit_length() - 1, 32, 31 + shift)
        self.multiplier = (multiplier << log2_count) // self.count
        self.shift = shift - log2_count
        if 255 * self.count << max(self.shift, 0) > INT32_MAX - 256:
            raise self.refuse(f"rescales by {ratio:.3g} over {self.count} elements; check the scales")

    def _read_axes(self, axes: tuple[int, ...]) -> None:
        shape, rank = self.x.shape, len(self.x.shape)
        if 0 in shape or not all(-rank <= axis < rank for axis in axes):
            raise self.refuse(f"axes {list(axes)[:8]} do not fit input {list(shape)}")
        reduced = {axis % rank for axis in axes}
        kept = [1 if axis in reduced else size for axis, size in enumerate(shape)]
        short = [size for axis, size in enumerate(shape) if axis not in reduced]
        expected = kept if self.operator.options.get("keep_dims", 0) else short
        if list(self.y.shape) != expected:
            raise self.refuse(
                f"output {list(self.y.shape)} does not follow from {list(shape)} and its axes; it is {expected}"
            )
        # Dimensions of 1 are neither reduced nor in the way.
        wide = [axis for axis in sorted(reduced) if shape[axis] > 1]
        first, end = (wide[0], wide[-1] + 1) if wide else (rank, rank)
        if any(shape[axis] > 1 and axis not in reduced for axis in range(first, end)):
            raise self.refuse(
                f"axes {sorted(reduced)} of {list(shape)} are no neighbours; supported is one run of them"
            )
        self.outer, self.count, self.inner = (
            math.prod(shape[:first]),
            math.prod(shape[first:end]),
            math.prod(shape[end:]),
        )
        if self.count > MAX_COUNT:
            raise self.refuse(f"averages {self.count:,} elements; supported are {MAX_COUNT:,}")

    @property
    def in_place(self) -> bool:
        # The answer for [outer][inner] never lies behind an element that is still to be read.
        return True

    def constants(self) -> list[Constant]:
        return []

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "outer": self.outer,
            "count": self.count,
            "inner": self.inner,
            "offset": -self.count * self.x.zero_points[0],
            "multiplier": self.multiplier,
            "left_shift": max(self.shift, 0),
            "right_shift": max(-self.shift, 0),
            "zero_point": self.y.zero_points[0],
        }
        return {name: str(value) for name, value in numbers.items()}
