# SPDX-License-Identifier: Apache-2.0
"""Faults planted into a model's own constants, one at a time: how many of them show in the answers to some inputs.

What shows is counted at the outputs alone, as a check sees it. The golden reference runs each damaged model, so that
the count holds for every operator that has weights, whatever the network is made of.
"""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.constants import data_offsets
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph, Operator, Tensor

LOAD_RUNS = 1  # what it costs to load a damaged model, in inferences, and at least that
BIAS_STEPS = (1, 2, 4, 16)  # by so many steps of the output a bias is moved


@dataclass(frozen=True)
class PlantedFault:
    """Bytes of the .tflite that are changed: `new` instead of what stands at `offset`, in the data of tensor `index`,
    whose byte `place` that is. `operator`: the one that reads it."""

    operator: Operator
    index: int
    place: int
    offset: int
    new: bytes


class Planter:
    """Of a model, `faults` of any seed: each operator with weights in its turn, each time another of its constants."""

    def __init__(self, tflite: bytes, graph: Graph) -> None:
        self._tflite, self._graph = tflite, graph
        self._offsets = data_offsets(tflite)
        self.operators = [op for op in device_ends(graph).operators if self._constants(op)]

    def faults(self, seed: int) -> Iterator[PlantedFault]:
        """Without end, unless nothing can be damaged. A weight has a bit flipped, a bias is moved by some steps."""
        source = random.Random(f"{seed} faults")
        while self.operators:
            for operator in self.operators:
                yield self._fault(operator, source.choice(self._constants(operator)), source)

    def load(self, fault: PlantedFault) -> Reference:
        """The damaged model. Raises InputFileError where the reference refuses it."""
        tflite = bytearray(self._tflite)
        tflite[fault.offset : fault.offset + len(fault.new)] = fault.new
        tensors = list(self._graph.tensors)
        data = bytearray(tensors[fault.index].data or b"")
        data[fault.place : fault.place + len(fault.new)] = fault.new
        tensors[fault.index] = dataclasses.replace(tensors[fault.index], data=bytes(data))
        graph = dataclasses.replace(self._graph, tensors=tuple(tensors))
        return Reference(bytes(tflite), graph=graph, only_numbers_changed=True)

    def _constants(self, operator: Operator) -> list[Tensor]:
        """Those that are numbers to compute with: quantized ones. Shapes, axes and places have no scale."""
        tensors = [self._graph.tensors[index] for index in operator.inputs if index != -1]
        return [t for t in tensors if t.data and t.scales and t.dtype in DTYPES and t.index in self._offsets]

    def _fault(self, operator: Operator, tensor: Tensor, source: random.Random) -> PlantedFault:
        data = tensor.data or b""
        size = 1 if tensor.dtype == "int4" else DTYPES[tensor.dtype].bits // 8
        place = source.randrange(len(data) // size)
        start, old = place * size, data[place * size : (place + 1) * size]
        if tensor.dtype in ("int32", "int64"):
            low, high = DTYPES[tensor.dtype].low, DTYPES[tensor.dtype].high
            moved = unpack(old, tensor.dtype)[0] + self._step(operator, tensor, place) * source.choice(BIAS_STEPS)
            new = struct.pack("<" + DTYPES[tensor.dtype].letter, min(max(moved, low), high))
        else:
            changed = bytearray(old)
            changed[source.randrange(size)] ^= 1 << source.randrange(8)
            new = bytes(changed)
        return PlantedFault(operator, tensor.index, start, self._offsets[tensor.index] + start, new)

    def _step(self, operator: Operator, bias: Tensor, place: int) -> int:
        """How much a bias has to move for the output to move by one: smaller changes may be no fault at all."""
        y = self._graph.tensors[operator.outputs[0]] if operator.outputs else bias
        scale = bias.scales[place % len(bias.scales)]
        return max(1, min(1 << 24, round((y.scales[0] if y.scales else scale) / scale)))


class Detector:
    """Asks damaged models inputs whose right answers are known, and counts the inferences that this costs."""

    def __init__(self, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> None:
        self._inputs, self._outputs = inputs, outputs
        self.runs = 0

    def finds(self, damaged: Reference, order: Sequence[int]) -> int | None:
        """The first input of `order` whose answer is not the right one; None where there is none. Of a sequence `order`
        is all of it."""
        for number in order:
            self.runs += 1
            try:
                if damaged.run(self._inputs[number]) != self._outputs[number]:
                    return number
            except InputFileError:  # sums that leave 32 bits: no board answers as before
                return number
        return None
