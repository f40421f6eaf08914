# SPDX-License-Identifier: Apache-2.0
"""DIV: int8 by tables of reciprocals, int32 by one constant."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.reciprocals import headroom, reciprocal
from tinyproof.export.ops.base import Call, Constant
from tinyproof.export.ops.elementwise import Elementwise
from tinyproof.export.ops.requantize_encoding import encode_multiplier

_BYTES = tuple(byte - 256 if byte > 127 else byte for byte in range(256))


class Div(Elementwise):
    """micro/kernels/div.cc."""

    names = ("DIV",)
    code_bytes = 320
    max_version = 2
    types = ("int8", "int32")

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if self.dtype == "int32":
            self.inputs = (self.operands[0].index,)

    def prepare(self) -> None:
        self.bounds = self.clamp()
        if self.dtype == "int32":
            self._prepare_int32()
        else:
            self._prepare_int8()

    def _prepare_int32(self) -> None:
        self.kernel = "div_s32"
        dividend, divisor = self.operands
        if dividend.scales or divisor.scales:
            raise self.refuse("divides int32 with a scale; TFLite Micro takes int32 without one")
        values = set(unpack(divisor.data or b"", "int32"))
        if divisor.data is None or 0 in values:
            raise self.refuse("divides int32 by what may be 0, which stops TFLite Micro; divide by a constant")
        if len(values) != 1 or dividend.elements != self.y.elements:
            raise self.refuse("divides int32 by several numbers; supported is one constant for all elements")
        (self.divisor,) = values
        if self.divisor == -1:
            raise self.refuse("divides int32 by -1, which stops TFLite Micro at -2^31; multiply by it")

    def _prepare_int8(self) -> None:
        self.kernel = "div_s8"
        real = self.operands[0].scales[0] / (self.operands[1].scales[0] * self.y.scales[0])
        multiplier, self.shift = quantize_multiplier(real)
        dividends, divisors = (self._possible(x) for x in self.operands)
        lefts = {headroom(sign * x) for x in dividends for sign in (1, -1)}
        rights = {reciprocal(abs(x))[1] for x in divisors}
        if not multiplier or min(lefts) + min(rights) - self.shift < 0 or max(lefts) + max(rights) - self.shift > 31:
            raise self.refuse(
                f"rescales its quotient by {real:.3g}; TFLite Micro's answer is defined from "
                f"2^{max(lefts) + max(rights) - 32} to 2^{min(lefts) + min(rights)}: check the scales, above all the "
                "output's"
            )
        self.multiplier = encode_multiplier(multiplier)

    def _possible(self, x: Tensor) -> set[int]:
        """What a centred operand may be."""
        return {q - x.zero_points[0] for q in (_BYTES if x.data is None else unpack(x.data, "int8"))}

    def numbers(self) -> dict[str, int]:
        clamp = {"clamp_min": self.bounds[0], "clamp_max": self.bounds[1]}
        if self.dtype == "int32":
            magnitude = abs(self.divisor)
            shift = 31 + (magnitude - 1).bit_length()
            return {
                "count": self.y.elements,
                "reciprocal": -(-(2**shift) // magnitude),
                "shift": shift,
                "negative": int(self.divisor < 0),
                **clamp,
            }
        return {
            "zero_point1": self.operands[0].zero_points[0],
            "zero_point2": self.operands[1].zero_points[0],
            "multiplier": self.multiplier,
            "zero_point": self.y.zero_points[0],
            **clamp,
        }

    def constants(self) -> list[Constant]:
        return [] if self.dtype == "int32" else super().constants()

    def tables(self) -> list[Constant]:
        found = [reciprocal(abs(q - self.operands[1].zero_points[0])) for q in _BYTES]
        shifts = [min(max(right - self.shift, -128), 127) for _, right in found]
        return [
            Constant("reciprocals", "int32_t", [number for number, _ in found]),
            Constant("shifts", "int8_t", shifts),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        parameters = super().parameters(prefix)
        if self.dtype == "int8":
            parameters |= {name: f"{prefix}_{name}" for name in ("reciprocals", "shifts")}
        return parameters

    def calls(self, prefix: str) -> list[Call]:
        if self.dtype == "int32":
            return [Call(self.inputs, self.outputs, self.parameters(prefix))]
        return super().calls(prefix)
