# SPDX-License-Identifier: Apache-2.0
"""READ_VARIABLE and ASSIGN_VARIABLE, once rewriting.py has made a tensor of the variable: bytes from and to it."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Call, Constant, Op


class Variable(Op):
    """The whole tensor is copied."""

    names = ("READ_VARIABLE", "ASSIGN_VARIABLE")
    max_version = 1
    kernel = "copy_s8"
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        source = self.tensor(operator.inputs, 0, "value")
        target = self.tensor(operator.outputs, 0, "variable")
        self.source, self.size = source, source.bytes
        self.inputs, self.outputs = (source.index,) if source.data is None else (), (target.index,)

    def constants(self) -> list[Constant]:
        return self.operand_tables(self.source, "value")

    def calls(self, prefix: str) -> list[Call]:
        return [Call((self.operand_place(self.source, prefix, "value"),), self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {"rows": 1, "row_bytes": self.size}
        numbers |= dict.fromkeys(("input_offset", "input_step", "output_offset", "output_step"), 0)
        return {name: str(value) for name, value in numbers.items()}
