# SPDX-License-Identifier: Apache-2.0
"""SignalFramer, SignalStacker, SignalOverlapAdd and SignalDelay: what is left of a signal goes on to the next one.

TFLite Micro's circular buffers always hold the same number of samples when an inference begins, wherever all of an
output is written each time: so they are plain rows of the last samples here.
"""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.signal import SignalOp

_LIMIT = 1 << 20  # of any size in samples; far beyond what a device holds
_INT16 = 7  # option T, a TensorType of the schema


class _Framing(SignalOp):
    """`x`: rows of samples. `samples`: how many of them each row keeps."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.signal(operator.inputs, 0, "input", "int16")
        if not self.x.shape or not self.x.elements:
            raise self.refuse("has an input of nothing")
        self.row = self.x.shape[-1]
        self.rows = self.x.elements // self.row
        self.samples = 0

    @property
    def private_tensors(self) -> tuple[tuple[str, int], ...]:
        return (("int16", max(self.rows * self.samples, 1)),)


class SignalFramer(_Framing):
    """signal/micro/kernels/framer.cc."""

    names = ("CUSTOM SignalFramer",)
    kernel = "signal_framer"
    code_bytes = 160

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1, 2)
        y = self.signal(operator.outputs, 0, "output", "int16", len(self.x.shape) + 1)
        valid = self.signal(operator.outputs, 1, "validity", "bool", 0)
        self.size, self.step, prefill = self.options("frame_size", "frame_step", "prefill")
        self.check_range("frame_size", self.size, 1, _LIMIT)
        self.check_range("frame_step", self.step, 1, self.row)
        if self.row % self.step:
            raise self.refuse(f"has rows of {self.row}, no whole number of steps of {self.step}")
        if prefill and self.size < self.step:
            raise self.refuse(f"prefills frames of {self.size} with steps of {self.step}, by less than nothing")
        if not prefill and self.size > self.step:
            raise self.refuse("leaves its first frames unset without prefill; set it, and zeros come before the signal")
        self.check_size(y, "output", self.x.elements // self.step * self.size)
        self.samples = max(self.size - self.step, 0)
        self.inputs, self.outputs = (self.x.index,), (y.index, valid.index)

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "rows": self.rows,
            "frames": self.row // self.step,
            "size": self.size,
            "step": self.step,
            "kept": self.samples,
        }
        return {name: str(value) for name, value in numbers.items()}


class SignalStacker(_Framing):
    """signal/micro/kernels/stacker.cc. Only where every inference has a stack: else it leaves its output unset."""

    names = ("CUSTOM SignalStacker",)
    kernel = "signal_stacker"
    code_bytes = 140

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1, 2)
        y = self.signal(operator.outputs, 0, "output", "int16", 1)
        valid = self.signal(operator.outputs, 1, "validity", "bool", 0)
        names = ("num_channels", "stacker_left_context", "stacker_right_context", "stacker_step")
        self.channels, self.left, right, step = self.options(*names)
        self.check_range("num_channels", self.channels, 1, self.row)
        self.check_range("stacker_left_context", self.left, 0, _LIMIT)
        if len(self.x.shape) != 1 or right != 0 or step != 1:
            raise self.refuse(
                f"stacker_right_context {right} and stacker_step {step} leave its output unset in some inferences; "
                "0 and 1 are supported, with an input of one dimension"
            )
        self.samples = self.left * self.channels
        self.check_size(y, "output", self.samples + self.channels)
        self.inputs, self.outputs = (self.x.index,), (y.index, valid.index)

    @property
    def private_tensors(self) -> tuple[tuple[str, int], ...]:
        """Before them, whether there has been a frame."""
        return (("int16", 1 + self.samples),)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"channels": str(self.channels), "kept": str(self.samples)}


class SignalOverlapAdd(_Framing):
    """signal/micro/kernels/overlap_add.cc."""

    names = ("CUSTOM SignalOverlapAdd",)
    kernel = "signal_overlap_add"
    code_bytes = 140

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        y = self.signal(operator.outputs, 0, "output", "int16", len(self.x.shape) - 1)
        dtype, self.step = self.options("T", "frame_step")
        if dtype != _INT16:
            raise self.refuse(f"is of type {dtype}; int16 ({_INT16}) is supported")
        self.check_range("frame_step", self.step, 1, self.row)
        if len(self.x.shape) < 2:
            raise self.refuse("has an input of one dimension; frames are needed")
        self.frames = self.x.shape[-2]
        self.rows //= self.frames
        self.check_size(y, "output", self.rows * self.frames * self.step)
        self.samples = self.row
        self.inputs, self.outputs = (self.x.index,), (y.index,)

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {"rows": self.rows, "frames": self.frames, "size": self.row, "step": self.step}
        return {name: str(value) for name, value in numbers.items()}


class SignalDelay(_Framing):
    """signal/micro/kernels/delay.cc."""

    names = ("CUSTOM SignalDelay",)
    kernel = "signal_delay"
    code_bytes = 120

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        y = self.signal(operator.outputs, 0, "output", "int16")
        (self.samples,) = self.options("delay_length")
        self.check_range("delay_length", self.samples, 0, _LIMIT)
        self.check_size(y, "output", self.x.elements)
        self.inputs, self.outputs = (self.x.index,), (y.index,)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"rows": str(self.rows), "size": str(self.row), "delay": str(self.samples)}
