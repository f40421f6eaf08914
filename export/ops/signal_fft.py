# SPDX-License-Identifier: Apache-2.0
"""SignalRfft and SignalIrfft: int16 and int32, of every length that TFLite Micro's KISS FFT takes: without a heap it
has only the radices 2 to 5."""

from __future__ import annotations

import itertools

from tinyproof.core.tflite import fft
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.signal import SignalOp

_TYPES = {7: "int16", 2: "int32", 0: "float32"}  # option T, a TensorType of the schema


class _Fft(SignalOp):
    """The tables of a transform; what it is between is said by the two classes below."""

    moves_bytes = True
    code_bytes = 2500
    inverse: bool

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        kind, length = self.options("T", "fft_length")
        dtype = _TYPES.get(kind, f"type {kind}")
        if dtype not in ("int16", "int32"):
            raise self.refuse(f"is of {dtype}; int16 and int32 are supported: make the spectrum of integers")
        self.check_range("fft_length", length, 4, fft.MAX_LENGTH)
        if length % 2:
            raise self.refuse(f"fft_length {length} is odd, which KISS FFT cannot take")
        self.length = length // 2
        self.stages = fft.stages(self.length)
        if not all(stage.radix in fft.RADICES for stage in self.stages):
            raise self.refuse(f"fft_length {length} is no product of 4, 2, 3 and 5; TFLite Micro ends at any other")
        self.x = self.signal(operator.inputs, 0, "input", dtype)
        self.y = self.signal(operator.outputs, 0, "output", dtype, len(self.x.shape))
        if not self.x.shape or not self.x.elements:
            raise self.refuse("has an input of nothing")
        self.bits = 32 if dtype == "int32" else 16
        self.rows = self.x.elements // self.x.shape[-1]
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)

    def check_row(self, tensor: Tensor, role: str, length: int) -> None:
        """The output: as many rows as the input, all of them written whole."""
        if tensor.shape[-1] != length or tensor.elements != self.rows * length:
            raise self.refuse(f"{role} {tensor.label} is {list(tensor.shape)}; it needs {self.rows} rows of {length}")

    @property
    def macs(self) -> int:
        return self.rows * sum(4 * stage.radix * self.length for stage in self.stages)

    def constants(self) -> list[Constant]:
        order = fft.input_order(self.length)
        places = sorted(range(self.length), key=order.__getitem__)
        roots = fft.roots(self.length, self.bits, inverse=self.inverse)
        roots += fft.real_roots(self.length, self.bits, inverse=self.inverse)
        return [
            Constant("places", "uint16_t", places),
            Constant("roots", f"int{self.bits}_t", list(itertools.chain(*roots))),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        one = (1 << (self.bits - 1)) - 1
        stages = ", ".join(
            f"{{{stage.radix}, {stage.size}, {stage.blocks}, {one // stage.radix}}}" for stage in self.stages
        )
        wide = self.bits == 32
        numbers = {
            "wide": int(wide),
            "inverse": int(self.inverse),
            "length": self.length,
            "stages": len(self.stages),
            "half": one // 2,
            "stage": f"{{{stages}}}",
            "places": f"{prefix}_places",
            "wide_roots" if wide else "roots": f"{prefix}_roots",
        }
        members = ", ".join(f".{name} = {value}" for name, value in numbers.items())
        return {"fft": f"{{{members}}}", "rows": str(self.rows)}


class SignalRfft(_Fft):
    """signal/micro/kernels/rfft.cc; a row that is shorter than the transform is filled up with zeros."""

    names = ("CUSTOM SignalRfft",)
    kernel = "signal_rfft"
    inverse = False

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if self.x.shape[-1] > 2 * self.length:
            raise self.refuse(f"has rows of {self.x.shape[-1]}; fft_length {2 * self.length} takes no more than that")
        self.check_row(self.y, "output", 2 * self.length + 2)

    def parameters(self, prefix: str) -> dict[str, str]:
        return super().parameters(prefix) | {"samples": str(self.x.shape[-1])}


class SignalIrfft(_Fft):
    """signal/micro/kernels/irfft.cc; whatever follows a row's spectrum is left out."""

    names = ("CUSTOM SignalIrfft",)
    kernel = "signal_irfft"
    inverse = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        width = self.x.shape[-1]
        if width % 2 or width < 2 * self.length + 2:
            raise self.refuse(f"has rows of {width}; fft_length {2 * self.length} takes {2 * self.length + 2}")
        self.check_row(self.y, "output", 2 * self.length)

    def parameters(self, prefix: str) -> dict[str, str]:
        return super().parameters(prefix) | {"values": str(self.x.shape[-1] // 2)}
