# SPDX-License-Identifier: Apache-2.0
"""SignalFilterBank and SignalFilterBankSquareRoot: energies summed up by channels, and their roots."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Call, Constant
from tinyproof.export.ops.signal import SignalOp


class SignalFilterBank(SignalOp):
    """signal/micro/kernels/filter_bank.cc. The first list of widths is of what belongs to channel 0 alone."""

    names = ("CUSTOM SignalFilterBank",)
    kernel = "signal_filter_bank"
    code_bytes = 160

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(6)
        x = self.signal(operator.inputs, 0, "input", "uint32", 1)
        y = self.signal(operator.outputs, 0, "output", "uint64", 1)
        roles = ("weights", "unweights", "frequency starts", "weight starts", "widths")
        tables = [self.table(place, role) for place, role in enumerate(roles, start=1)]
        self.weights, self.unweights, starts, weight_starts, widths = tables
        (channels,) = self.options("num_channels")
        self.channels = y.elements
        if not 1 <= self.channels <= channels or min(map(len, tables[2:])) <= self.channels:
            raise self.refuse(
                f"output {y.label} has {self.channels} elements, with num_channels {channels}, {len(starts)} starts "
                f"and {len(widths)} widths; they need as many as channels, and one more"
            )
        self.bands: list[int] = []
        for start, first, width in zip(starts, weight_starts, widths, strict=False):
            count = max(width, 0)
            last = min(len(self.weights), len(self.unweights))
            if count and not (0 <= start <= x.elements - count and 0 <= first <= last - count):
                raise self.refuse(f"has a band of {count} from {start} on, with weights from {first} on: out of range")
            self.bands += [start, first, count]
        self.bands = self.bands[: 3 * (self.channels + 1)]
        self.inputs, self.outputs = (x.index,), (y.index,)

    @property
    def macs(self) -> int:
        return 2 * sum(self.bands[2::3])

    def constants(self) -> list[Constant]:
        return [
            Constant("weights", "int16_t", self.weights),
            Constant("unweights", "int16_t", self.unweights),
            Constant("bands", "int16_t", self.bands),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        tables = {table.suffix: f"{prefix}_{table.suffix}" for table in self.constants()}
        return {"channels": str(self.channels), **tables}


class SignalFilterBankSquareRoot(SignalOp):
    """signal/micro/kernels/filter_bank_square_root.cc."""

    names = ("CUSTOM SignalFilterBankSquareRoot",)
    kernel = "signal_square_root"
    code_bytes = 200

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        x = self.signal(operator.inputs, 0, "input", "uint64", 1)
        self.bits = self.tensor(operator.inputs, 1, "scale")
        if self.bits.dtype != "int32" or self.bits.shape:
            raise self.refuse(f"scale {self.bits.label} must be a scalar of int32")
        self.y = self.signal(operator.outputs, 0, "output", "uint32", 1)
        self.check_size(self.y, "output", x.elements)
        self._check_scale()
        self.x = x
        self.inputs = (x.index,) if self.bits.data is not None else (x.index, self.bits.index)
        self.outputs = (self.y.index,)

    def _check_scale(self) -> None:
        if self.bits.data is not None:
            self.check_range("scale", int.from_bytes(self.bits.data, "little", signed=True), 0, 31)
            return
        maker = next((operator for operator in self.graph.operators if self.bits.index in operator.outputs), None)
        if maker is None or maker.name != "CUSTOM SignalFftAutoScale":
            raise self.refuse(f"scale {self.bits.label} is no constant and none of SignalFftAutoScale's: it may be any")

    def constants(self) -> list[Constant]:
        return self.operand_tables(self.bits, "scale")

    def calls(self, prefix: str) -> list[Call]:
        scale = self.operand_place(self.bits, prefix, "scale")
        return [Call((self.x.index, scale), self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"count": str(self.y.elements)}
