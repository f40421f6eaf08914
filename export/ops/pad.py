# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2: constant paddings around up to 5 dimensions."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op

MAX_RANK = 5  # as in TFLM
_LOOPS = 4


class Pad(Op):
    """The output filled with the zero point (or the given byte), then the input's rows put into it."""

    names = ("PAD", "PADV2")
    code_bytes = 220
    max_version = 4
    kernel = "pad_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self.value = self._read_value()
        flat = self.integers(1, "paddings", "paddings")
        rank = len(self.x.shape)
        pairs = list(zip(flat[0::2], flat[1::2], strict=False))
        if not 1 <= rank <= MAX_RANK or 0 in self.x.shape:
            raise self.refuse(f"input {list(self.x.shape)} is not supported; supported are 1 to {MAX_RANK} dimensions")
        if len(flat) != 2 * rank or min(flat) < 0:
            raise self.refuse(f"paddings {list(flat)[:10]} must be a pair of sizes for each dimension")
        padded = tuple(before + size + after for size, (before, after) in zip(self.x.shape, pairs, strict=True))
        if self.y.shape != padded:
            raise self.refuse(f"output {list(self.y.shape)} does not follow from input and paddings: {list(padded)}")
        self._lay_out([before for before, _ in pairs])

    def _read_value(self) -> int:
        constant = self.optional(self.operator.inputs, 2)
        if constant is None:
            return self.y.zero_points[0]
        self.check_int8(constant, "padding value")
        if constant.data is None or constant.elements != 1:
            raise self.refuse(f"padding value {constant.label} must be a constant of one element")
        if (constant.scales, constant.zero_points) != (self.y.scales, self.y.zero_points):
            raise self.refuse(f"padding value {constant.label} must have the output's scale and zero point")
        return int.from_bytes(constant.data, "little", signed=True)

    def _lay_out(self, before: list[int]) -> None:
        """Rows are what lies together in both tensors; loops walk over the rows of the input."""
        self.row, self.offset, stride = 1, 0, 1
        walk: list[tuple[int, int]] = []  # (count, step in the output), innermost first
        for size, padded, first in zip(reversed(self.x.shape), reversed(self.y.shape), reversed(before), strict=True):
            self.offset += first * stride
            if not walk and self.row == stride:  # nothing inside is padded
                self.row *= size
            elif size > 1:
                walk.append((size, stride))
            stride *= padded
        self.walk = [(1, 0)] * (_LOOPS - len(walk)) + walk[::-1]

    def constants(self) -> list[Constant]:
        return []

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "counts": "{" + ", ".join(str(count) for count, _ in self.walk) + "}",
            "steps": "{" + ", ".join(str(step) for _, step in self.walk) + "}",
            "row_bytes": str(self.row),
            "offset": str(self.offset),
            "output_bytes": str(self.y.elements),
            "value": str(self.value),
        }
