# SPDX-License-Identifier: Apache-2.0
"""CIRCULAR_BUFFER, a custom operator of streaming models: the newest row behind those of the inferences before."""

from __future__ import annotations

from tinyproof.core.tflite.flexbuffer import element
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op

# Where the file does not say how often it lets an inference through, TFLite Micro knows it of these numbers of rows.
EVERY_TIME = (5, 13, 25)


class CircularBuffer(Op):
    """Its output is what it remembers. It is moved up by a row, and the input follows."""

    names = ("CUSTOM CIRCULAR_BUFFER",)
    max_version = 1
    code_bytes = 40
    kernel = "circular_buffer"
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if len(operator.inputs) != 1 or len(operator.outputs) != 1:
            raise self.refuse(
                f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs; one each is needed"
            )
        self.x, self.y = self.activation(operator.inputs, 0, "input"), self.activation(operator.outputs, 0, "output")
        x, y = self.x.shape, self.y.shape
        if len(x) != 4 or len(y) != 4 or x[:2] != (1, 1) or (1, *x[2:]) != (y[0], *y[2:]) or self.y.elements == 0:
            raise self.refuse(f"makes {list(y)} of {list(x)}; [1, n, a, b] of [1, 1, a, b] is supported")
        if not self.y.is_state:
            raise self.refuse(f"its output {self.y.label} is no variable, so that nothing keeps it")
        cycles = element(operator.custom_options, 0) or 0 if operator.custom_options else 0
        if cycles != 1 and not (cycles <= 0 and y[1] in EVERY_TIME):
            raise self.refuse(
                f"lets one of {max(cycles, 2)} inferences through, and TFLite Micro ends the others without an answer; "
                "supported is a cycles_max of 1"
            )
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"row_bytes": str(self.x.bytes), "bytes": str(self.y.bytes)}
