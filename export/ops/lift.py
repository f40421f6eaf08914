# SPDX-License-Identifier: Apache-2.0
"""A tensor that moves to a higher address, so that what is made of it can lie below it again and again.

Kernels walk upwards, so that an output lies below the input that it overlaps; in a chain of such layers each would need
room below the one before.
"""

from __future__ import annotations

from tinyproof.export.ops.access import AccessOrder
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.stripes import BYTES_PER_MOVED_INSTRUCTION


class Lift(Op):
    """Its output is `source` under another index, `target`. Whichever way the two overlap, nothing is lost."""

    kernel = "move_up"
    max_version = 1 << 30
    moves_bytes = True

    def __init__(self, op: Op, source: int, target: int) -> None:
        super().__init__(op.graph, op.operator)
        self.inputs, self.outputs = (source,), (target,)
        self.bytes = op.graph.tensors[source].bytes

    @property
    def name(self) -> str:
        return "move"

    @property
    def members(self) -> tuple[Op, ...]:
        return ()

    @property
    def cost(self) -> int:
        return 50 + round(self.bytes / BYTES_PER_MOVED_INSTRUCTION)

    @property
    def access_orders(self) -> list[AccessOrder]:
        return [AccessOrder([0], [0], self.bytes, self.bytes)]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"bytes": str(self.bytes)}
