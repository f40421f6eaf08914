# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2: constant paddings around up to 5 dimensions, with a value that may be computed."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.core.tflite.dtypes import pack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import braces
from tinyproof.export.ops.moving import Moving, byte_strides, element_bytes

MAX_RANK = 5  # as in TFLM
_LOOPS = 4


class Pad(Moving):
    """The output filled with the value, then the input's rows put into it. Without a value it is the zero point for
    int8, and 0 for other types, as in TFLM."""

    names = ("PAD", "PADV2")
    code_bytes = 220
    max_version = 4
    types = ("int8", "int16", "int32")
    kernel = "pad_rows"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2, optional=1)
        self.x, self.y = self.pair()
        self.take(self.x, self._value())
        self.outputs = (self.y.index,)
        flat = self.fixed(1, "paddings")
        rank = len(self.x.shape)
        pairs = list(zip(flat[0::2], flat[1::2], strict=False))
        self.check_rank(self.x, 1, MAX_RANK)
        if len(flat) != 2 * rank or min(flat) < 0:
            raise self.refuse(f"paddings {list(flat)[:10]} must be a pair of sizes for each dimension")
        self.check_shape(
            self.y, [before + size + after for size, (before, after) in zip(self.x.shape, pairs, strict=True)]
        )
        self._lay_out([before for before, _ in pairs])

    def _value(self) -> Tensor:
        """A tensor of one element, the operator's own where the file has none."""
        value = self.optional(self.operator.inputs, 2)
        if value is None:
            number = self.y.zero_points[0] if self.y.dtype == "int8" and self.y.zero_points else 0
            return replace(self.y, shape=(), data=pack([number], self.y.dtype))
        self.check_type(value, "padding value", (self.x.dtype,))
        if value.elements != 1:
            raise self.refuse(f"padding value {value.label} must have one element")
        quantization = (value.scales[:1], value.zero_points[:1])
        if value.dtype == "int8" and quantization != (self.y.scales[:1], self.y.zero_points[:1]):
            raise self.refuse(f"padding value {value.label} must have the output's scale and zero point")
        return value

    def _lay_out(self, before: list[int]) -> None:
        """Rows are what lies together in both tensors; loops walk over the rows of the input."""
        self.row, self.offset = element_bytes(self.x), 0
        walk: list[tuple[int, int]] = []  # (count, step in the output), innermost first
        strides = byte_strides(self.y)
        for size, stride, first in zip(reversed(self.x.shape), reversed(strides), reversed(before), strict=True):
            self.offset += first * stride
            if not walk and self.row == stride:  # nothing inside is padded
                self.row *= size
            elif size > 1:
                walk.append((size, stride))
        self.walk = [(1, 0)] * (_LOOPS - len(walk)) + walk[::-1]

    def parameters(self, prefix: str) -> dict[str, str]:
        everything = f"{{.count = {self.y.elements}, .element_bytes = {element_bytes(self.y)}}}"
        return {
            "counts": braces([count for count, _ in self.walk]),
            "steps": braces([step for _, step in self.walk]),
            "row_bytes": str(self.row),
            "offset": str(self.offset),
            "everything": everything,
        }
