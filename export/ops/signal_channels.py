# SPDX-License-Identifier: Apache-2.0
"""What happens to each channel of a filter bank: noise is subtracted, gain is controlled, and a logarithm is taken."""

from __future__ import annotations

import math

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.signal import SignalOp

_GAINS = 125  # what a gain of any 32 bits needs: three numbers for each power of two, the last one's four apart


# By how much log2(1 + i / 128) exceeds i / 128, times 2^16.
_LOG2_CURVE = [math.floor(65536 * (math.log2(1 + i / 128) - i / 128) + 0.5) for i in range(129)]


class SignalFilterBankSpectralSubtraction(SignalOp):
    """signal/micro/kernels/filter_bank_spectral_subtraction.cc. The noise's estimate goes on from frame to frame."""

    names = ("CUSTOM SignalFilterBankSpectralSubtraction",)
    kernel = "signal_spectral_subtraction"
    code_bytes = 220

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1, 2)
        x = self.signal(operator.inputs, 0, "input", "uint32", 1)
        outputs = [
            self.signal(operator.outputs, place, role, "uint32", 1) for place, role in enumerate(("output", "noise"))
        ]
        names = (
            *("alternate_one_minus_smoothing", "alternate_smoothing", "clamping", "min_signal_remaining"),
            *("num_channels", "one_minus_smoothing", "smoothing", "smoothing_bits", "spectral_subtraction_bits"),
        )
        self.numbers = dict(zip(names, self.options(*names), strict=True))
        self.check_range("smoothing_bits", self.numbers["smoothing_bits"], 0, 31)
        self.check_range("spectral_subtraction_bits", self.numbers["spectral_subtraction_bits"], 0, 63)
        self.count = self.numbers.pop("num_channels")
        for tensor, role in ((x, "input"), (outputs[0], "output"), (outputs[1], "noise")):
            self.check_size(tensor, role, self.count)
        self.inputs, self.outputs = (x.index,), (outputs[0].index, outputs[1].index)

    @property
    def in_place(self) -> bool:
        return True

    @property
    def private_tensors(self) -> tuple[tuple[str, int], ...]:
        return (("uint32", self.count),)

    def parameters(self, prefix: str) -> dict[str, str]:
        unsigned = {name: f"{value % 2**32}u" for name, value in self.numbers.items()}
        return {**unsigned, "clamping": str(int(self.numbers["clamping"] != 0)), "count": str(self.count)}


class SignalPcan(SignalOp):
    """signal/micro/kernels/pcan.cc."""

    names = ("CUSTOM SignalPCAN",)
    kernel = "signal_pcan"
    code_bytes = 200

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(3)
        x = self.signal(operator.inputs, 0, "input", "uint32", 1)
        noise = self.signal(operator.inputs, 1, "noise", "uint32", 1)
        self.gains = self.table(2, "gains")
        self.y = self.signal(operator.outputs, 0, "output", "uint32", 1)
        (self.shift,) = self.options("snr_shift")
        self.check_range("snr_shift", self.shift, 0, 63)
        self.check_size(self.y, "output", x.elements)
        if noise.elements < x.elements or len(self.gains) < _GAINS:
            raise self.refuse(
                f"has {noise.elements} estimates of noise and {len(self.gains)} gains; "
                f"it needs {x.elements} and {_GAINS}"
            )
        self.inputs, self.outputs = (x.index, noise.index), (self.y.index,)

    @property
    def in_place(self) -> bool:
        return True

    def constants(self) -> list[Constant]:
        return [Constant("gains", "int16_t", self.gains[:_GAINS])]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"count": str(self.y.elements), "shift": str(self.shift), "gains": f"{prefix}_gains"}


class SignalFilterBankLog(SignalOp):
    """signal/micro/kernels/filter_bank_log.cc."""

    names = ("CUSTOM SignalFilterBankLog",)
    kernel = "signal_log"
    code_bytes = 200

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        x = self.signal(operator.inputs, 0, "input", "uint32", 1)
        self.y = self.signal(operator.outputs, 0, "output", "int16", 1)
        self.bits, self.scale = self.options("input_correction_bits", "output_scale")
        self.check_range("input_correction_bits", self.bits, 0, 31)
        self.check_size(self.y, "output", x.elements)
        self.inputs, self.outputs = (x.index,), (self.y.index,)

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "count": str(self.y.elements),
            "bits": str(self.bits),
            "scale": f"{self.scale % 2**32}u",
            "curve": f"{prefix}_curve",
        }

    def constants(self) -> list[Constant]:
        return [Constant("curve", "uint16_t", _LOG2_CURVE)]
