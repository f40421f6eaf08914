# SPDX-License-Identifier: Apache-2.0
"""Channels of CONV_2D, FULLY_CONNECTED and DEPTHWISE_CONV_2D: intervals of sums, and constants folded into biases.

The sum of a unit is bias + sum (x_q - x_zero_point) w_q; it lies between what the spans of the inputs allow, and both
ends are rescaled by the exact integer arithmetic, which is monotone. Outside of the image x_q is x_zero_point.

An input channel that is constant, x_q = k, adds (k - x_zero_point) sum(w) to the bias: exactly, where each of its taps
lies in the image for every output, or k is the zero point. No sum can grow by that: what is left of it is a part of
what the operator has been checked for.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tinyproof.core.tflite.arithmetic import reduce_multiplier, requantize
from tinyproof.core.tflite.graph import Operator, Tensor
from tinyproof.export.channels.channels import Channels, Node, Span
from tinyproof.export.channels.rules import Followed, Narrowed
from tinyproof.export.ops.conv_2d import Conv2D
from tinyproof.export.ops.convolution import Convolution
from tinyproof.export.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyproof.export.ops.fully_connected import FullyConnected

if TYPE_CHECKING:
    from tinyproof.export.channels.twins import Numbers

QUAD = 4  # channels that the fast depthwise kernels take at a time


class Sums(Followed, ABC):
    """Rows of weights, one for each channel of the output."""

    op: Conv2D | DepthwiseConv2D | FullyConnected

    def __init__(self, op: Conv2D | DepthwiseConv2D | FullyConnected, channels: Channels) -> None:
        super().__init__(op, channels)
        self.op = op
        convolves_int16 = isinstance(op, Convolution) and op.wide is not None
        # TFLite Micro's convolutions of int16 ignore both zero points.
        self.x_zero = 0 if convolves_int16 else op.x.zero_points[0]
        self.y_zero = 0 if convolves_int16 else op.y.zero_points[0]
        self.padded = padded_taps(op) if isinstance(op, Convolution) else [False] * (len(op.rows[0]) // op.x.shape[-1])
        self.lowest: list[int] = []  # sums
        spans = []
        for unit, row in enumerate(op.rows):
            lows, highs = self.ends(unit)
            triples = list(zip(row, lows, highs, strict=True))
            self.lowest.append(op.bias[unit] + sum(w * (low if w > 0 else high) for w, low, high in triples))
            highest = op.bias[unit] + sum(w * (high if w > 0 else low) for w, low, high in triples)
            spans.append(self.bound(op.y, self.answer(unit, self.lowest[-1]), self.answer(unit, highest), op.clamp))
        channels.spans[self.y] = spans

    @abstractmethod
    def ends(self, unit: int) -> tuple[list[int], list[int]]:
        """The lowest and the highest value that each weight of a unit meets."""

    def met(self, span: Span, *, padded: bool) -> Span:
        """What a tap meets in a channel."""
        return (min(span[0], self.x_zero), max(span[1], self.x_zero)) if padded else span

    def answer(self, unit: int, total: int) -> int:
        """Of a sum, before it is clamped."""
        if self.op.wide is None:
            return self.y_zero + requantize(total, *self.factor(unit))
        multiplier, shift = self.factor(unit)
        if self.op.wide.narrow:
            return self.y_zero + requantize(total, multiplier, shift)
        # MultiplyByQuantizedMultiplier of an int64: one rounding.
        return self.y_zero + ((total * reduce_multiplier(multiplier) + (1 << (14 - shift))) >> (15 - shift))

    def factor(self, unit: int) -> tuple[int, int]:
        """By which a unit's sum is rescaled."""
        if self.op.wide is not None:
            return self.op.wide.pairs[unit]
        place = unit % len(self.op.multipliers)
        return self.op.multipliers[place], self.op.shifts[place]

    def operator(
        self, narrowed: Narrowed, weights: tuple[tuple[int, ...], list[int]], totals: list[int], scales: list[int]
    ) -> Operator:
        """The operator with new weights (shape and values) for the kept units, and with biases that begin the sums of
        weights on raw bytes without the zero point. `scales`: the old unit whose scale each has."""
        narrowed.take_out(self.y)
        op, units = self.op, self.channels.kept(self.y)
        old = self.op.graph.tensors[op.operator.inputs[1]]
        picked = tuple(old.scales[unit] for unit in scales) if len(old.scales) > 1 else old.scales
        axis = 3 if isinstance(op, DepthwiseConv2D) else 0
        like = dataclasses.replace(
            old, dtype="int8", scales=picked, zero_points=(0,) * len(picked), quantized_dimension=axis
        )
        inputs = [op.operator.inputs[0], narrowed.constant(like, *weights)]
        inputs.append(narrowed.constant(self._bias_like(picked), (len(units),), totals))
        return dataclasses.replace(op.operator, inputs=tuple(inputs))

    def _bias_like(self, scales: tuple[float, ...]) -> Tensor:
        """All but shape and values of a bias."""
        inputs = self.op.operator.inputs
        if len(inputs) > 2 and inputs[2] != -1:
            dtype = self.op.graph.tensors[inputs[2]].dtype
        else:
            dtype = "int32" if self.op.wide is None or self.op.wide.narrow else "int64"
        scale = tuple(self.op.x.scales[0] * each for each in scales)
        return Tensor(0, "bias", (), dtype, scale, (0,) * len(scale), 0, None)


class SumsOverChannels(Sums):
    """CONV_2D and FULLY_CONNECTED: every unit reads all channels. Weight i of a row belongs to channel i modulo their
    number, groups being written out with zeros."""

    ops = (Conv2D, FullyConnected)
    op: Conv2D | FullyConnected

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether the weights are constants, and each belongs to one channel."""
        if not super().suits(op, channels) or (isinstance(op, FullyConnected) and op.product):
            return False
        return bool(len(op.rows[0]) % op.x.shape[-1] == 0)

    @cached_property
    def _ends(self) -> tuple[list[int], list[int]]:
        spans = self.channels.spans[self.x]
        met = [self.met(span, padded=padded) for padded in self.padded for span in spans]
        return [low for low, _ in met], [high for _, high in met]

    def ends(self, unit: int) -> tuple[list[int], list[int]]:
        """The same for all."""
        return self._ends

    @cached_property
    def _folds(self) -> list[bool]:
        """Whether what each weight meets is constant."""
        return [low == high for low, high in zip(*self._ends, strict=True)]

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """The sum as a function: weights of the same at the same tap added, and constants in the bias."""
        own = numbers.of(self.x)
        met = [(place // len(own), own[place % len(own)]) for place in range(len(self.op.rows[0]))]
        lows, _ = self._ends
        if len(set(own)) == len(own) and not any(self._folds):
            return [(self.y, self.factor(u), self.op.bias[u], tuple(row)) for u, row in enumerate(self.op.rows)]
        keys: list[Hashable] = []
        for unit, row in enumerate(self.op.rows):
            total, terms = self.op.bias[unit], Counter[tuple[int, int]]()
            for place, weight in enumerate(row):
                if weight and self._folds[place]:
                    total += weight * lows[place]
                elif weight:
                    terms[met[place]] += weight
            left = frozenset((term, weight) for term, weight in terms.items() if weight)
            keys.append((self.y, self.factor(unit), total, left))
        return keys

    @property
    def _twins(self) -> list[tuple[int, int]]:
        """Channels of the input for which others stand, and these."""
        if not self.channels.twins:
            return []
        width = self.channels.width(self.x)
        standing: dict[int, list[int]] = {}
        for channel in range(width):
            standing.setdefault(self.channels.root((self.x, channel)), []).append(channel)
        pairs: list[tuple[int, int]] = []
        for root, channels in standing.items():
            twin = self.channels.twin(root)
            if twin is not None:
                pairs += zip(channels, standing[twin], strict=True)
        return pairs

    def _row(self, unit: int, twins: Sequence[tuple[int, int]]) -> Sequence[int]:
        """Its weights, those of channels for which others stand added to the others'."""
        row, width = self.op.rows[unit], self.channels.width(self.x)
        if not twins:
            return row
        weights = list(row)
        for channel, twin in twins:
            for start in range(0, len(row), width):
                weights[start + twin] += weights[start + channel]
                weights[start + channel] = 0
        return weights

    def takes_twins(self) -> bool:
        """Whether all weights that are added up fit a byte."""
        twins = self._twins
        return not twins or all(-128 <= weight <= 127 for unit in self._computed for weight in self._row(unit, twins))

    def demands(self) -> Iterable[Node]:
        """What the weights of computed units meet, unless that is constant; one at least, as a kernel reads one."""
        width, twins = self.channels.width(self.x), self._twins
        needed: set[int] = set()
        for unit in self._computed:
            weights = zip(self._row(unit, twins), self._folds, strict=True)
            needed.update(place % width for place, (weight, folds) in enumerate(weights) if weight and not folds)
        if not needed and self.lives and not self.channels.kept(self.x):
            needed.add(0)
        return [(self.x, channel) for channel in needed]

    @property
    def _computed(self) -> list[int]:
        """The kept units whose answers are no constants."""
        return [unit for unit in self.channels.kept(self.y) if not self.channels.constant((self.y, unit))]

    def _constant(self, unit: int) -> tuple[int, int]:
        """A sum whose answer is that of a constant unit, and whose scale it is for. A constant needs no weights, and so
        any scale will do: that of a computed unit, since those that are dead have wild ones, which fast kernels do not
        take. Its own, with any of its own sums, where the other cannot say it."""
        (answer, _) = self.channels.span((self.y, unit))
        for other in self._computed[:1] if self.op.wide is None else ():
            total = self._sum_of(other, answer)
            if total is not None:
                return total, other
        return self.lowest[unit], unit

    def _sum_of(self, unit: int, answer: int) -> int | None:
        """The least sum that a unit rescales to an answer, None where there is none in a quarter of 32 bits."""
        low, high = -(2**29), 2**29
        if self.op.shifts[unit % len(self.op.shifts)] > 0:
            return None
        while low < high:  # rescaling is monotone
            middle = (low + high) // 2
            low, high = (low, middle) if self.answer(unit, middle) >= answer else (middle + 1, high)
        return low if self.answer(unit, low) == answer else None

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """With the constants that are not kept in the biases."""
        width, kept = self.channels.width(self.x), set(self.channels.kept(self.x))
        units, twins = self.channels.kept(self.y), self._twins
        stays = [place % width in kept for place in range(len(self.op.rows[0]))]
        computed = set(self._computed)
        weights: list[int] = []
        totals: list[int] = []
        scales: list[int] = []
        for unit in units:
            row, total = self._row(unit, twins), self.op.bias[unit]
            scales.append(unit)
            if unit not in computed:
                row, (total, scales[-1]) = (0,) * len(row), self._constant(unit)
            left = [weight for weight, stay in zip(row, stays, strict=True) if stay]
            lows, _ = self._ends
            total += sum(w * k for w, k, stay in zip(row, lows, stays, strict=True) if w and not stay)
            weights += left
            totals.append(total + self.x_zero * sum(left))
        taps = self.op.weights_shape[1:3] if isinstance(self.op, Conv2D) else ()
        depth = len(kept) if taps else len(kept) * (len(stays) // width)
        return (self.operator(narrowed, ((len(units), *taps, depth), weights), totals, scales),)


class SumsOfOneChannel(Sums):
    """DEPTHWISE_CONV_2D: channel c of the output reads channel c // multiplier of the input."""

    ops = (DepthwiseConv2D,)
    op: DepthwiseConv2D

    def __init__(self, op: DepthwiseConv2D, channels: Channels) -> None:
        super().__init__(op, channels)
        for channel in range(op.channels_out):
            channels.link((self.x, channel // op.multiplier), (self.y, channel))

    def ends(self, unit: int) -> tuple[list[int], list[int]]:
        """Of its own channel."""
        span = self.channels.span((self.op.x.index, unit // self.op.multiplier))
        met = [self.met(span, padded=padded) for padded in self.padded]
        return [low for low, _ in met], [high for _, high in met]

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """The same weights of the same channel."""
        own = numbers.of(self.x)
        return [
            (self.y, self.factor(unit), self.op.bias[unit], tuple(row), own[unit // self.op.multiplier])
            for unit, row in enumerate(self.op.rows)
        ]

    def rounding(self) -> list[tuple[int, int]]:
        """Four channels side by side."""
        return [(self.y, QUAD)] if self.op.quads else []

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """The rows of the kept channels."""
        units = self.channels.kept(self.y)
        rows = [self.op.rows[unit] for unit in units]
        weights = [weight for tap in zip(*rows, strict=True) for weight in tap]
        totals = [self.op.bias[unit] + self.x_zero * sum(row) for unit, row in zip(units, rows, strict=True)]
        return (self.operator(narrowed, ((*self.op.weights_shape[:3], len(units)), weights), totals, list(units)),)


def padded_taps(op: Convolution) -> list[bool]:
    """For each place of the kernel, row by row: whether it lies outside of the image for any output."""
    outside = []
    axes = zip((op.height, op.width), op.y.shape[1:3], op.weights_shape[1:3], strict=True)
    for axis, (size, outputs, extent) in enumerate(axes):
        reach = (outputs - 1) * op.strides[axis]
        starts = [place * op.dilations[axis] - op.pads[axis] for place in range(extent)]
        outside.append([start < 0 or start + reach >= size for start in starts])
    return [row or column for row in outside[0] for column in outside[1]]
