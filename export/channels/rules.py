# SPDX-License-Identifier: Apache-2.0
"""What an operator does to channels: one rule for each operator of the intermediate form.

An operator that no rule knows reads every channel of its inputs and writes every channel of its outputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from tinyproof.core.tflite.dtypes import DTYPES, pack, unpack
from tinyproof.core.tflite.graph import Operator, Tensor
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.export.channels.channels import Channels, Node
from tinyproof.export.ops.base import Op

if TYPE_CHECKING:
    from tinyproof.export.channels.twins import Numbers


class Narrowed:
    """The graph's tensors while channels are taken out of them. `parts`: what is left of
    each tensor that lost any."""

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.tensors = list(channels.graph.tensors)
        self.parts: dict[int, TensorPart] = {}

    def take_out(self, tensor: int) -> None:
        """What is not kept of a computed tensor."""
        kept = self.channels.kept(tensor)
        if len(kept) < self.channels.width(tensor):
            whole = self.tensors[tensor]
            self.tensors[tensor] = dataclasses.replace(whole, shape=(*whole.shape[:-1], len(kept)))
            element_bytes = DTYPES[whole.dtype].bits // 8
            self.parts[tensor] = TensorPart(tensor, kept, whole.shape[-1], element_bytes)

    def constant(self, like: Tensor, shape: tuple[int, ...], values: Iterable[int]) -> int:
        """The index of a new constant; `like` says all else of it."""
        data = pack(list(values), like.dtype)
        self.tensors.append(dataclasses.replace(like, index=len(self.tensors), shape=shape, data=data))
        return len(self.tensors) - 1

    def part_of_constant(self, tensor: Tensor, kept: tuple[int, ...]) -> int:
        """A constant with some of the places along its last dimension."""
        values = unpack(tensor.data or b"", tensor.dtype)
        width = tensor.shape[-1]
        part = (values[start + place] for start in range(0, tensor.elements, width) for place in kept)
        return self.constant(tensor, (*tensor.shape[:-1], len(kept)), part)


class Rule:
    """Of an operator that is not looked into. Its outputs' spans are set when it is made, in the operators' order."""

    def __init__(self, op: Op, channels: Channels) -> None:
        self.op = op
        self.channels = channels

    @property
    def reads(self) -> list[int]:
        """The followed tensors among its inputs."""
        return [index for index in self.op.operator.inputs if index != -1 and self.channels.followed(index)]

    @property
    def writes(self) -> list[int]:
        """The followed tensors among its outputs."""
        return [index for index in self.op.operator.outputs if self.channels.followed(index)]

    @property
    def lives(self) -> bool:
        """Whether anything of what it writes is kept."""
        return True

    def fix(self) -> None:
        """Keeps what has to be, whatever is read of it."""
        for index in (*self.reads, *self.writes):
            self.channels.keep_all(index)

    def demands(self) -> Iterable[Node]:
        """What of its inputs the kept channels of its output need, beside those that they are linked to."""
        return ()

    def rounding(self) -> list[tuple[int, int]]:
        """Tensors and numbers: a faster kernel takes multiples of so many channels."""
        return []

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """Of each channel of its output, what it is computed of and how: those of one key have the same values. None
        where that is not known."""
        return None

    def takes_twins(self) -> bool:
        """Whether it can read channels that stand for others. One that hands each channel on can: others go with it."""
        return True

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """The operator on what is left of its tensors."""
        for index in self.writes:
            narrowed.take_out(index)
        return (self.op.operator,)


class Followed(Rule):
    """Of an operator with one output whose channels are known one by one."""

    ops: ClassVar[tuple[type[Op], ...]]  # the operators that it is the rule of
    x: int
    y: int

    @classmethod
    def suits(cls, op: Any, channels: Channels) -> bool:
        """Whether an operator of `ops` is such that the rule holds."""
        return channels.followed(op.operator.inputs[0]) and channels.followed(op.operator.outputs[0])

    def __init__(self, op: Op, channels: Channels) -> None:
        super().__init__(op, channels)
        self.x, self.y = op.operator.inputs[0], op.operator.outputs[0]

    @property
    def lives(self) -> bool:
        """Whether a channel of its output is kept."""
        return any(self.channels.is_kept((self.y, channel)) for channel in range(self.channels.width(self.y)))

    def fix(self) -> None:
        """Nothing: what nobody reads goes."""

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """The same function of the same channel of the input, and of nothing else."""
        return [(self.y, number) for number in numbers.of(self.x)]

    def link_alike(self, x: int) -> None:
        """Each channel of the output to the same one of an input."""
        for channel in range(self.channels.width(self.y)):
            self.channels.link((x, channel), (self.y, channel))

    def bound(self, tensor: Tensor, low: int, high: int, clamp: tuple[int, int] | None = None) -> tuple[int, int]:
        """The span of an answer that is clamped to its type, or to what is left of it."""
        least, most = clamp or (DTYPES[tensor.dtype].low, DTYPES[tensor.dtype].high)
        return min(max(low, least), most), min(max(high, least), most)
