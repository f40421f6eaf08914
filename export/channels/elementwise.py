# SPDX-License-Identifier: Apache-2.0
"""Channels of operators that compute each element from one element of each operand: ADD, SUB, MUL and functions of a
byte. All but those functions are monotone in each operand, so that the ends of intervals say everything."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from tinyproof.core.tflite.arithmetic import quantize_multiplier, requantize
from tinyproof.core.tflite.graph import Operator, Tensor
from tinyproof.export.channels.channels import Channels, Node, Span, constant_spans, places
from tinyproof.export.channels.rules import Followed, Narrowed
from tinyproof.export.ops.add import MORE_BITS, Add
from tinyproof.export.ops.lookup import Lookup
from tinyproof.export.ops.mul import Mul

if TYPE_CHECKING:
    from tinyproof.export.channels.twins import Numbers


class OfTwo(Followed):
    """ADD, SUB or MUL of int8 or int16. A computed operand has the output's channels, or one for all of them; of a
    constant the same places are taken."""

    ops = (Add, Mul)
    op: Add | Mul

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether both operands are quantized, and their last dimension is the output's or one."""
        fits = all((1, *x.shape)[-1] in (1, (1, *op.y.shape)[-1]) for x in op.operands)
        known = all(x.data is not None or channels.followed(x.index) for x in op.operands)
        return op.dtype in ("int8", "int16") and fits and known and channels.followed(op.y.index)

    def __init__(self, op: Add | Mul, channels: Channels) -> None:
        super().__init__(op, channels)
        self.op = op
        width = channels.width(self.y)
        spans = []
        for operand in op.operands:
            own = constant_spans(operand) if operand.data is not None else channels.spans[operand.index]
            spans.append(own * width if len(own) < width else own)
            if operand.data is None and len(own) == width:
                self.link_alike(operand.index)
        channels.spans[self.y] = [self._answers(a, b) for a, b in zip(*spans, strict=True)]

    def _answers(self, a: Span, b: Span) -> Span:
        corners = [self._sum(x, y) if isinstance(self.op, Add) else self._product(x, y) for x in a for y in b]
        return self.bound(self.op.y, min(corners), max(corners), self.op.bounds)

    def _sum(self, *operands: int) -> int:
        """micro/kernels/add_common.cc: both operands on twice the larger scale."""
        assert isinstance(self.op, Add)
        bits, twice = MORE_BITS[self.op.dtype], 2 * max(x.scales[0] for x in self.op.operands)
        total = 0
        for q, x, sign in zip(operands, self.op.operands, self.op.signs, strict=True):
            total += sign * requantize((q - x.zero_points[0]) << bits, *quantize_multiplier(x.scales[0] / twice))
        factor = quantize_multiplier(twice / (2**bits * self.op.y.scales[0]))
        return self.op.y.zero_points[0] + requantize(total, *factor)

    def _product(self, a: int, b: int) -> int:
        """micro/kernels/mul_common.cc."""
        x1, x2 = self.op.operands
        factor = quantize_multiplier(x1.scales[0] * x2.scales[0] / self.op.y.scales[0])
        return self.op.y.zero_points[0] + requantize((a - x1.zero_points[0]) * (b - x2.zero_points[0]), *factor)

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """Both operands' channels, or what stands in the place of a constant."""
        width = self.channels.width(self.y)
        parts: list[list[Hashable]] = []
        for operand in self.op.operands:
            own: list[Hashable] = list(numbers.of(operand.index) if operand.data is None else places(operand))
            parts.append(own * width if len(own) < width else own)
        return [(self.y, *both) for both in zip(*parts, strict=True)]

    def demands(self) -> Iterable[Node]:
        """An operand of one channel serves all."""
        width = self.channels.width(self.y)
        shared = [x.index for x in self.op.operands if x.data is None and self.channels.width(x.index) < width]
        return [(index, 0) for index in shared if self.lives]

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """With the same places of a constant operand."""
        narrowed.take_out(self.y)
        kept = self.channels.kept(self.y) if self.y in narrowed.parts else None
        inputs = [self._narrowed(operand, kept, narrowed) for operand in self.op.operands]
        return (dataclasses.replace(self.op.operator, inputs=tuple(inputs)),)

    def _narrowed(self, operand: Tensor, kept: tuple[int, ...] | None, narrowed: Narrowed) -> int:
        spread = not operand.shape or operand.shape[-1] < self.channels.width(self.y)
        if operand.data is None or kept is None or spread:
            return operand.index
        return narrowed.part_of_constant(operand, kept)


class OfByte(Followed):
    """A function of one byte, whatever it looks like: its table of answers says all."""

    ops = (Lookup,)
    op: Lookup

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether it is a table of int8 for tensors of one shape."""
        alike = op.x.shape == op.y.shape and op.x.dtype == op.y.dtype == "int8"
        return alike and super().suits(op, channels)

    def __init__(self, op: Lookup, channels: Channels) -> None:
        super().__init__(op, channels)
        spans: dict[Span, Span] = {}
        for low, high in set(channels.spans[self.x]):
            answers = [op.table[q & 0xFF] for q in range(low, high + 1)]
            spans[low, high] = min(answers), max(answers)
        channels.spans[self.y] = [spans[span] for span in channels.spans[self.x]]
        self.link_alike(self.x)
