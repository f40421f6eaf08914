# SPDX-License-Identifier: Apache-2.0
"""READ_VARIABLE and ASSIGN_VARIABLE, once rewriting.py has made a tensor of the variable: bytes from and to it."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Call, Constant, Op


class Variable(Op):
    """The whole tensor is copied, or, once it `shift`s, a part of the state is moved within it."""

    names = ("READ_VARIABLE", "ASSIGN_VARIABLE")
    max_version = 1
    code_bytes = 30
    kernel = "move_s8"
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        source = self.tensor(operator.inputs, 0, "value")
        target = self.tensor(operator.outputs, 0, "variable")
        self.source, self.size = source, source.bytes
        self.offsets = 0, 0
        self.inputs, self.outputs = (source.index,) if source.data is None else (), (target.index,)

    def shift(self, state: int, source: int, target: int, size: int) -> None:
        """Moves `size` bytes within the tensor `state`, instead of copying a whole one."""
        self.inputs = self.outputs = (state,)
        self.source, self.offsets, self.size = self.graph.tensors[state], (source, target), size

    def constants(self) -> list[Constant]:
        return self.operand_tables(self.source, "value")

    def calls(self, prefix: str) -> list[Call]:
        return [Call((self.operand_place(self.source, prefix, "value"),), self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "input_offset": str(self.offsets[0]),
            "output_offset": str(self.offsets[1]),
            "bytes": str(self.size),
        }
