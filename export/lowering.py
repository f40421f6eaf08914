# SPDX-License-Identifier: Apache-2.0
"""From the graph of a .tflite to the intermediate form: a list of kernel calls between int8 tensors."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph, Tensor
from tinyproof.export.ops import ENDS, OPS
from tinyproof.export.ops.base import Op

MAX_CONSTANT_BYTES = 16 << 20  # flash of the largest microcontrollers; bounds what a hostile file makes us write


@dataclass(frozen=True)
class Program:
    """`ops` run in order. `input` and `output` are what the device sees: int8, in the arena."""

    graph: Graph
    ops: tuple[Op, ...]
    input: Tensor
    output: Tensor

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)


def lower(graph: Graph) -> Program:
    """Raises InputFileError naming the operator or tensor that is not supported, and what is."""
    x, y, operators = device_ends(graph)
    ops: list[Op] = []
    budget = MAX_CONSTANT_BYTES
    for operator in operators:
        if operator.name not in OPS:
            supported = ", ".join(sorted(OPS))
            where = (
                f"; {' and '.join(ENDS)} only where floats enter and leave the model" if operator.name in ENDS else ""
            )
            raise graph.refuse(operator, f"is not supported; supported: {supported}{where}")
        budget -= sum(len(graph.tensors[index].data or b"") for index in operator.inputs if index != -1)
        if budget < 0:
            raise InputFileError(f"{graph.file}: over {MAX_CONSTANT_BYTES:,} bytes of weights; use a smaller model")
        ops.append(OPS[operator.name](graph, operator))
    return Program(graph, tuple(ops), x, y)
