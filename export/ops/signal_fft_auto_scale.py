# SPDX-License-Identifier: Apache-2.0
"""SignalFftAutoScale: samples shifted to the left as far as their largest one allows."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.signal import SignalOp


class SignalFftAutoScale(SignalOp):
    """signal/micro/kernels/fft_auto_scale_kernel.cc."""

    names = ("CUSTOM SignalFftAutoScale",)
    kernel = "signal_fft_auto_scale"
    code_bytes = 100

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1, 2)
        x = self.signal(operator.inputs, 0, "input", "int16", 1)
        self.y = self.signal(operator.outputs, 0, "output", "int16", 1)
        bits = self.signal(operator.outputs, 1, "scale", "int32", 0)
        self.check_size(self.y, "output", x.elements)
        self.inputs, self.outputs = (x.index,), (self.y.index, bits.index)

    @property
    def in_place(self) -> bool:
        return True

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"count": str(self.y.elements)}
