# SPDX-License-Identifier: Apache-2.0
"""L2_NORMALIZATION along the last dimension, int8."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT32_MAX
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op

MAX_RANK = 4  # as TFLite Micro's Prepare has it


class L2Normalization(Op):
    """(x_q - zero_point) / root(sum of their squares), in steps of 1/128 whatever the output's quantization says:
    reference/integer_ops/l2normalization.h."""

    names = ("L2_NORMALIZATION",)
    max_version = 2
    code_bytes = 400
    kernel = "l2_normalization_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        if self.x.shape != self.y.shape or not 0 < len(self.x.shape) <= MAX_RANK or 0 in self.x.shape:
            raise self.refuse(
                f"output {list(self.y.shape)} and input {list(self.x.shape)} must have the same shape, of 1 to "
                f"{MAX_RANK} dimensions"
            )
        if operator.options.get("fused_activation_function", 0) != 0:
            raise self.refuse("has a fused activation, which TFLite Micro does not take here")
        self.depth = self.x.shape[-1]
        zero = self.x.zero_points[0]
        if self.depth * max(127 - zero, 128 + zero) ** 2 > INT32_MAX:
            raise self.refuse(f"is over {self.depth:,} elements, whose squares leave TFLite Micro's 32 bits")

    @property
    def in_place(self) -> bool:
        return True

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "rows": self.x.elements // self.depth,
            "depth": self.depth,
            "zero_point": self.x.zero_points[0],
        }
        return {name: str(value) for name, value in numbers.items()}
