# SPDX-License-Identifier: Apache-2.0
"""MINIMUM of two int8 tensors alike. A template: copy it to export/ops/."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op


class Minimum(Op):
    """y_q = min(a_q, b_q), of one shape and one quantization (micro/kernels/maximum_minimum.h)."""

    names = ("MINIMUM",)  # in the schema; an operator is supported as soon as a class has its name
    max_version = 4  # the highest whose meaning is known
    kernel = "minimum_s8"  # the C function, its parameter struct and its header
    code_bytes = 60  # of Thumb-2 at -O2, as measured

    def __init__(self, graph: Graph, operator: Operator) -> None:
        """Checks everything that the kernel takes for granted. Raises InputFileError for what is not supported."""
        super().__init__(graph, operator)
        operands = [self.activation(operator.inputs, place, f"operand {place + 1}") for place in range(2)]
        self.y = self.activation(operator.outputs, 0, "output")
        for x in operands:
            if x.shape != self.y.shape:
                raise self.refuse(f"operand {list(x.shape)} and output {list(self.y.shape)} must have one shape")
            if (x.scales, x.zero_points) != (self.y.scales, self.y.zero_points):
                raise self.refuse("its tensors differ in scale or zero point; quantize them alike")
        self.inputs, self.outputs = tuple(x.index for x in operands), (self.y.index,)

    @property
    def in_place(self) -> bool:
        """An element is read before its place is written."""
        return True

    def parameters(self, prefix: str) -> dict[str, str]:
        """Members of the kernel's parameter struct."""
        return {"count": str(self.y.elements)}
