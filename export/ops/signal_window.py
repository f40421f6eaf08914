# SPDX-License-Identifier: Apache-2.0
"""SignalWindow: frames of int16 multiplied by a window."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.signal import SignalOp


class SignalWindow(SignalOp):
    """signal/micro/kernels/window.cc."""

    names = ("CUSTOM SignalWindow",)
    kernel = "signal_window"
    code_bytes = 90

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        self.x = self.signal(operator.inputs, 0, "input", "int16")
        self.y = self.signal(operator.outputs, 0, "output", "int16", len(self.x.shape))
        self.weights = self.table(1, "window")
        (self.shift,) = self.options("shift")
        self.check_range("shift", self.shift, 0, 31)
        self.check_size(self.y, "output", self.x.elements)
        if not self.x.shape or not self.weights or self.x.elements % len(self.weights):
            raise self.refuse(f"input {list(self.x.shape)} is no whole number of windows of {len(self.weights)}")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)

    @property
    def in_place(self) -> bool:
        return True

    @property
    def macs(self) -> int:
        return self.x.elements

    def constants(self) -> list[Constant]:
        return [Constant("weights", "int16_t", self.weights)]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "frames": str(self.x.elements // len(self.weights)),
            "size": str(len(self.weights)),
            "shift": str(self.shift),
            "weights": f"{prefix}_weights",
        }
