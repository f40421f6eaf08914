# SPDX-License-Identifier: Apache-2.0
"""Channels of operators that move elements, or compute along dimensions other than the last."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from tinyproof.core.tflite.arithmetic import INT32_MAX, requantize
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Operator
from tinyproof.export.channels.channels import Channels, Node, Span, constant_spans, hull, places
from tinyproof.export.channels.rules import Followed, Narrowed
from tinyproof.export.ops.concatenation import Concatenation
from tinyproof.export.ops.pad import Pad
from tinyproof.export.ops.pooling import AveragePool, MaxPool
from tinyproof.export.ops.reducing import ReduceExtreme, Sum
from tinyproof.export.ops.reshape import ExpandDims, Reshape, Squeeze

if TYPE_CHECKING:
    from tinyproof.export.channels.twins import Numbers


class AlongImage(Followed):
    """Pooling: an answer lies between the elements that its window covers, at least one, and so does their average."""

    ops = (MaxPool, AveragePool)
    op: MaxPool | AveragePool

    def __init__(self, op: MaxPool | AveragePool, channels: Channels) -> None:
        super().__init__(op, channels)
        channels.spans[self.y] = [self.bound(op.y, *span, op.clamp) for span in channels.spans[self.x]]
        self.link_alike(self.x)


class AlongDimensions(Followed):
    """MEAN, SUM, REDUCE_MAX and REDUCE_MIN that leave the last dimension: monotone in every element."""

    ops = (Sum, ReduceExtreme)
    op: Sum | ReduceExtreme

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether the last dimension stays, and sums never wrap."""
        rank = len(op.x.shape)
        if not super().suits(op, channels) or rank - 1 in {axis % rank for axis in op.integers(1, "axes", "axes")}:
            return False
        kind, zero = DTYPES[op.x.dtype], op.x.zero_points[0]
        reach = op.count * max(kind.high - zero, zero - kind.low)
        return not isinstance(op, Sum) or reach <= INT32_MAX >> max(op.shift, 0)

    def __init__(self, op: Sum | ReduceExtreme, channels: Channels) -> None:
        super().__init__(op, channels)
        spans = channels.spans[self.x]
        if isinstance(op, Sum):
            spans = [self.bound(op.y, self._total(op, low), self._total(op, high)) for low, high in spans]
        channels.spans[self.y] = spans
        self.link_alike(self.x)

    def _total(self, op: Sum, q: int) -> int:
        """The answer where all elements are `q`."""
        total = op.count * (q - op.x.zero_points[0])
        return op.y.zero_points[0] + requantize(total, op.multiplier, op.shift)


class Reshaped(Followed):
    """The same elements in the same order, where one last dimension is a multiple of the other."""

    ops = (Reshape, Squeeze, ExpandDims)
    op: Reshape | Squeeze | ExpandDims

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether channels stay apart."""
        if not super().suits(op, channels):
            return False
        before, after = op.x.shape[-1], op.y.shape[-1]
        return bool(max(before, after) % min(before, after) == 0)

    def __init__(self, op: Reshape | Squeeze | ExpandDims, channels: Channels) -> None:
        super().__init__(op, channels)
        before, after = channels.width(self.x), channels.width(self.y)
        for channel in range(max(before, after)):
            channels.link((self.x, channel % before), (self.y, channel % after))
        spans = channels.spans[self.x]
        channels.spans[self.y] = [hull(*spans[channel % before :: after]) for channel in range(after)]

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """Which pixels of which channel, or which channels one after the other."""
        own = numbers.of(self.x)
        before, after = len(own), self.channels.width(self.y)
        return [(self.y, c // before, *own[c % before :: after]) for c in range(after)]


class Padded(Followed):
    """PAD with one value. Along the last dimension it adds channels that are constants."""

    ops = (Pad,)
    op: Pad

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether its value is a constant."""
        return super().suits(op, channels) and op.operands[1][0].data is not None

    def __init__(self, op: Pad, channels: Channels) -> None:
        super().__init__(op, channels)
        self.pads = op.fixed(1, "paddings")
        (fill,) = constant_spans(op.operands[1][0])
        before, around = self.pads[-2], any(self.pads[:-2])
        spans = [fill] * channels.width(self.y)
        for channel, span in enumerate(channels.spans[self.x]):
            spans[before + channel] = hull(span, fill) if around else span
            channels.link((self.x, channel), (self.y, before + channel))
        channels.spans[self.y] = spans

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """Those that it adds are constants, whatever their keys."""
        before = self.pads[-2]
        keys: list[Hashable] = [(self.y, "added", c) for c in range(self.channels.width(self.y))]
        keys[before : before + self.channels.width(self.x)] = [(self.y, number) for number in numbers.of(self.x)]
        return keys

    def demands(self) -> Iterable[Node]:
        """There is no PAD of nothing."""
        return [(self.x, 0)] if self.lives and not self.channels.kept(self.x) else []

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """With paddings of the last dimension that are as many as the kept channels among them."""
        narrowed.take_out(self.y)
        if self.y not in narrowed.parts or not any(self.pads[-2:]):
            return (self.op.operator,)
        width = self.channels.width(self.x)
        kept = self.channels.kept(self.y)
        before = sum(channel < self.pads[-2] for channel in kept)
        after = sum(channel >= self.pads[-2] + width for channel in kept)
        old = self.op.graph.tensors[self.op.operator.inputs[1]]
        paddings = narrowed.constant(old, old.shape, (*unpack(old.data or b"", old.dtype)[:-2], before, after))
        inputs = self.op.operator.inputs
        return (dataclasses.replace(self.op.operator, inputs=(inputs[0], paddings, *inputs[2:])),)


class Joined(Followed):
    """CONCATENATION: along the last dimension channels stand side by side, along another they are prolonged."""

    ops = (Concatenation,)
    op: Concatenation

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether all that it joins is known."""
        joined = all(part.data is not None or channels.followed(part.index) for part in op.parts)
        return joined and channels.followed(op.operator.outputs[0])

    def __init__(self, op: Concatenation, channels: Channels) -> None:
        super().__init__(op, channels)
        rank = len(op.parts[0].shape)
        self.along_channels = op.operator.options.get("axis", 0) % rank == rank - 1
        self.starts: list[int] = []
        spans: list[Span] = []
        for part in op.parts:
            own = channels.spans[part.index] if part.data is None else constant_spans(part)
            start = len(spans) if self.along_channels else 0
            self.starts.append(start)
            spans = [*spans, *own] if self.along_channels or not spans else list(map(hull, spans, own))
            if part.data is None:
                for channel in range(len(own)):
                    channels.link((part.index, channel), (self.y, start + channel))
        channels.spans[self.y] = spans

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """The parts' channels."""
        parts: list[list[Hashable]] = [
            list(numbers.of(part.index)) if part.data is None else list(places(part)) for part in self.op.parts
        ]
        if self.along_channels:
            return [(self.y, key) for part in parts for key in part]
        return [(self.y, *keys) for keys in zip(*parts, strict=True)]

    def demands(self) -> Iterable[Node]:
        """Constants alone would be a constant."""
        computed = [part.index for part in self.op.parts if part.data is None]
        if not self.lives or any(self.channels.kept(part) for part in computed):
            return []
        return [(computed[0], 0)]

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """Without the parts of which nothing is left."""
        narrowed.take_out(self.y)
        inputs = []
        for part, start in zip(self.op.parts, self.starts, strict=True):
            width = part.shape[-1]
            kept = tuple(place for place in range(width) if self.channels.is_kept((self.y, start + place)))
            if not kept:
                continue
            constant = part.data is not None and len(kept) < width
            inputs.append(narrowed.part_of_constant(part, kept) if constant else part.index)
        return (dataclasses.replace(self.op.operator, inputs=tuple(inputs)),)
