# SPDX-License-Identifier: Apache-2.0
"""ADD_N: the sum of tensors of one shape and one quantization, one call of the kernel for each."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Call, Constant, Op
from tinyproof.export.ops.requantize_encoding import encode, factor

_MORE_BITS = 20
_SUMS = range(-(2**12), 2**12)  # that stay within 32 bits with the other bits


class AddN(Op):
    """micro/kernels/add_n.cc, whose sum begins with the zero point's opposite instead of 0. The scratch keeps it, in 16
    bits."""

    names = ("ADD_N",)
    max_version = 1
    kernel = "add_n_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if len(operator.inputs) < 2:
            raise self.refuse("adds less than 2 tensors, which TFLite Micro does not take")
        self.y = self.activation(operator.outputs, 0, "output")
        self.operands = [self.tensor(operator.inputs, i, f"operand {i + 1}") for i in range(len(operator.inputs))]
        first = self.operands[0]
        for x in self.operands:
            self.check_int8(x, "operand")
            if len(x.scales) != 1 or (x.scales, x.zero_points) != (first.scales, first.zero_points):
                raise self.refuse(f"operand {x.label} is not quantized like the first one, as TFLite Micro demands")
            if x.shape != first.shape or x.elements != self.y.elements:
                raise self.refuse(f"operand {x.label} and output {self.y.label} differ in size")
        zero, count = first.zero_points[0], len(self.operands)
        if not all(count * (end - zero) - zero in _SUMS for end in (INT8_MIN, INT8_MAX)):
            raise self.refuse(f"adds {count} tensors, of which TFLite Micro's sum may leave 32 bits; add fewer at once")
        # Each operand goes to twice its scale, which is a shift by 19.
        total = 2 * first.scales[0] / (2**_MORE_BITS * self.y.scales[0])
        if not 0 < total < 1 or quantize_multiplier(total)[1] > 0:
            raise self.refuse("its scales are too far apart: the output's must be over 2^-19 of the operands'")
        self.total = encode(*quantize_multiplier(total))
        computed = [x.index for x in self.operands if x.data is None]
        if not computed:
            raise self.refuse("all operands are constants; let the converter fold them")
        self.inputs, self.outputs = tuple(computed), (self.y.index,)

    @property
    def scratch_bytes(self) -> int:
        return max(4, 2 * self.y.elements)

    def constants(self) -> list[Constant]:
        return [
            table
            for place, x in enumerate(self.operands, start=1)
            for table in self.operand_tables(x, f"operand{place}")
        ]

    def calls(self, prefix: str) -> list[Call]:
        last = len(self.operands)
        return [
            Call(
                (self.operand_place(x, prefix, f"operand{place}"),),
                self.outputs,
                {"count": str(x.elements), "first": str(int(place == 1)), "last": str(int(place == last))}
                | self.parameters(prefix),
            )
            for place, x in enumerate(self.operands, start=1)
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "input_zero_point": self.operands[0].zero_points[0],
            **factor("", self.total),
            "zero_point": self.y.zero_points[0],
        }
        return {name: str(value) for name, value in numbers.items()}
