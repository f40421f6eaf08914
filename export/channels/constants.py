# SPDX-License-Identifier: Apache-2.0
"""Layers that are constants: operators whose answers no input can change are not computed.

What reads them folds them into its biases, or is a constant itself; anything else reads a tensor that is written once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

from tinyproof.core.reference.golden import STATEFUL
from tinyproof.core.tflite.dtypes import DTYPES, pack
from tinyproof.core.tflite.graph import Operator, Tensor
from tinyproof.export.channels.channels import Channels, constant_spans, places
from tinyproof.export.channels.rules import Narrowed, Rule
from tinyproof.export.channels.twins import Numbers
from tinyproof.export.ops.control import Control
from tinyproof.export.rewriting import UNSOUND

MAX_RANK = 5  # of BROADCAST_TO


class Constants:
    """Those that were found among the operators that `find` was asked about, in their order."""

    def __init__(self, channels: Channels, unsure: set[int]) -> None:
        self._channels, self._unsure = channels, unsure
        self._tensors = list(channels.graph.tensors)

    def find(self, rule: Rule) -> Written | None:
        """What takes the place of a rule, None where its operator has to be computed. A rule of one output whose
        channels are all constant, and any operator that reads constants alone."""
        operator = rule.op.operator
        outputs = [self._tensors[index] for index in operator.outputs]
        followed = outputs and rule.writes == list(operator.outputs) and self._unsure.isdisjoint(operator.outputs)
        if not followed or isinstance(rule.op, Control) or any(len(y.shape) > MAX_RANK for y in outputs):
            return None
        if len(outputs) == 1 and all(low == high for low, high in self._channels.spans[outputs[0].index]):
            values = [low for low, _ in self._channels.spans[outputs[0].index]]
            found = [pack(values * (outputs[0].elements // len(values)), outputs[0].dtype)]
        else:
            found = self._computed(operator, outputs)
        if not found:
            return None
        made = [dataclasses.replace(y, data=data) for y, data in zip(outputs, found, strict=True)]
        for tensor in made:
            self._tensors[tensor.index] = tensor
        return Written(rule, self._channels, made)

    def _computed(self, operator: Operator, outputs: list[Tensor]) -> list[bytes]:
        """The outputs of an operator on constants; none where there is another input, or where they would take more
        room than what they are computed from."""
        inputs = [self._tensors[index] for index in operator.inputs if index != -1]
        kept = operator.name in STATEFUL or operator.name.startswith("CUSTOM")
        if kept or not inputs or any(x.data is None for x in inputs):
            return []
        if sum(y.bytes for y in outputs) > sum(map(_stored, inputs)):
            return []
        from tinyproof.core.reference.interpreter import compute  # and with it NumPy, which few models need here

        graph = dataclasses.replace(self._channels.graph, tensors=tuple(self._tensors))
        try:
            return compute(graph, operator)
        except UNSOUND:
            return []


class Written(Rule):
    """Instead of `former`, one that writes a constant for each output."""

    def __init__(self, former: Rule, channels: Channels, made: list[Tensor]) -> None:
        super().__init__(former.op, channels)
        self.former, self.made = former, made
        for tensor in made:
            channels.spans[tensor.index] = constant_spans(tensor)

    @property
    def reads(self) -> list[int]:
        """Nothing."""
        return []

    @property
    def lives(self) -> bool:
        """Whether any of it is read."""
        return any(self.channels.kept(tensor.index) for tensor in self.made)

    def fix(self) -> None:
        """Nothing: what nobody reads goes."""

    def keys(self, numbers: Numbers) -> list[Hashable] | None:
        """Of one output: what stands along each channel."""
        return [("written", *place) for place in places(self.made[0])] if len(self.made) == 1 else None

    def narrowed(self, narrowed: Narrowed) -> tuple[Operator, ...]:
        """A BROADCAST_TO of each output that lives: of one pixel, where all pixels are the same."""
        return tuple(self._write(tensor, narrowed) for tensor in self.made if self.channels.kept(tensor.index))

    def _write(self, tensor: Tensor, narrowed: Narrowed) -> Operator:
        narrowed.take_out(tensor.index)
        kept = self.channels.kept(tensor.index)
        values = [places(tensor)[channel] for channel in kept]
        alike = all(len(set(place)) == 1 for place in values)
        shape = (len(kept),) if alike else (*tensor.shape[:-1], len(kept))
        pixels = zip(*values, strict=True)
        content = [place[0] for place in values] if alike else [value for pixel in pixels for value in pixel]
        source = narrowed.constant(tensor, shape, content)
        extents = narrowed.tensors[tensor.index].shape
        like = dataclasses.replace(tensor, name="shape", dtype="int32", scales=(), zero_points=())
        sizes = narrowed.constant(like, (len(extents),), extents)
        return Operator(self.op.operator.index, "BROADCAST_TO", 1, (source, sizes), (tensor.index,), {})


def _stored(tensor: Tensor) -> int:
    """Bytes of flash that it takes: one pixel, where all are the same."""
    if all(low == high for low, high in constant_spans(tensor)):
        return DTYPES[tensor.dtype].bytes_of(tensor.shape[-1] if tensor.shape else 1)
    return len(tensor.data or b"")
