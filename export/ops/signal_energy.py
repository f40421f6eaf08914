# SPDX-License-Identifier: Apache-2.0
"""SignalEnergy: the squares of a spectrum's magnitudes, from one index on to another."""

from __future__ import annotations

from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.signal import SignalOp


class SignalEnergy(SignalOp):
    """signal/micro/kernels/energy.cc. What lies before the first index or after the last is never written there; a
    slice must leave it out before anything else reads it."""

    names = ("CUSTOM SignalEnergy",)
    kernel = "signal_energy"
    code_bytes = 60

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(1)
        x = self.signal(operator.inputs, 0, "input", "int16", 1)
        y = self.signal(operator.outputs, 0, "output", "uint32", 1)
        self.end, self.start = self.options("end_index", "start_index")
        if not 0 <= self.start < self.end <= min(y.elements, x.elements // 2):
            raise self.refuse(
                f"start_index {self.start} and end_index {self.end} are out of range for {x.elements // 2} complex "
                f"values and an output of {y.elements}"
            )
        if (self.start, self.end) != (0, y.elements) and not self._is_cut_out(y.index):
            raise self.refuse(
                f"leaves all but {self.start} to {self.end} of its output {y.label} unset, which more than a "
                "STRIDED_SLICE of those reads"
            )
        self.count = y.elements
        self.inputs, self.outputs = (x.index,), (y.index,)

    def _is_cut_out(self, tensor: int) -> bool:
        """Whether all that reads a tensor, perhaps after a CAST, is slices of what is written."""
        if tensor in self.graph.outputs:
            return False
        readers = [operator for operator in self.graph.operators if tensor in operator.inputs]
        return all(
            self._is_cut_out(reader.outputs[0])
            if reader.name == "CAST" and len(reader.outputs) == 1
            else reader.name == "STRIDED_SLICE" and self._is_within(reader)
            for reader in readers
        )

    def _is_within(self, reader: Operator) -> bool:
        places = [self.graph.tensors[index] for index in reader.inputs[1:4] if index != -1]
        if len(places) != 3 or any(place.data is None or place.dtype != "int32" for place in places):
            return False
        begin, end, stride = (unpack(place.data or b"", "int32") for place in places)
        return (
            not any(reader.options.values())
            and (len(begin), len(end), stride) == (1, 1, (1,))
            and self.start <= begin[0] <= end[0] <= self.end
        )

    def parameters(self, prefix: str) -> dict[str, str]:
        return {"start": str(self.start), "end": str(self.end), "count": str(self.count)}
