# SPDX-License-Identifier: Apache-2.0
"""Takes out of a network every channel that interval analysis proves constant for all inputs, every channel that no
living one reads, and every channel that is the same as another one. The answers are the same to the bit, and so is what
is left of each tensor.

Forward, each operator's rule says which values each channel of its output can take, from those of its inputs. Backward,
a kept channel demands the channels that it is computed from, but for constants that fold into its bias. What remains
undemanded goes. Ends of the model keep their shapes, and so does state.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyproof.core.manifest import RemovedChannels
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.export.channels.channels import MAX_CHANNELS, Channels
from tinyproof.export.channels.constants import Constants, Written
from tinyproof.export.channels.elementwise import OfByte, OfTwo
from tinyproof.export.channels.moves import AlongDimensions, AlongImage, Joined, Padded, Reshaped
from tinyproof.export.channels.rules import Followed, Narrowed, Rule
from tinyproof.export.channels.sums import Sums, SumsOfOneChannel, SumsOverChannels
from tinyproof.export.channels.twins import merge_twins, part
from tinyproof.export.ops.base import Op

_RULES: tuple[type[Followed], ...] = (
    *(SumsOverChannels, SumsOfOneChannel, OfTwo, OfByte),
    *(AlongImage, AlongDimensions, Reshaped, Padded, Joined),
)


@dataclass(frozen=True)
class Pruned:
    """What is left. `parts`: what of each tensor that lost channels, by the tensor's index."""

    graph: Graph
    operators: tuple[Operator, ...]
    parts: dict[int, TensorPart]
    removed: RemovedChannels


def prune(graph: Graph, ops: Sequence[Op], ends: Iterable[int], carried: Iterable[int]) -> Pruned | None:
    """`ops`: the operators that run, in their order, checked. `ends`: the model's inputs and outputs. `carried`:
    tensors that live on between inferences, or between the turns of a loop. None where nothing can be removed."""
    channels = Channels(graph)
    written = Counter(index for op in ops for index in op.operator.outputs)
    for op in ops:
        for index in (*op.operator.inputs, *op.operator.outputs):
            if index != -1:
                channels.follow(graph.tensors[index])
    if channels.count > MAX_CHANNELS:
        return None
    # What is written in two places, as by IF and WHILE, or lives on, may hold more than one operator says.
    unsure = {index for index, count in written.items() if count > 1} | set(carried)
    rules = _rules(ops, channels, unsure)
    pinned = unsure | set(ends)
    computed = not any(isinstance(rule, Written) for rule in rules)
    if computed and channels.spans.keys() <= pinned:
        return None
    _keep(rules, channels, pinned)
    if merge_twins(rules, channels):
        channels.keep_nothing()
        _keep(rules, channels, pinned)
    for rule in rules:
        _round_up(rule, rules, channels)
    living = [rule for rule in rules if rule.lives]
    if (
        computed
        and len(living) == len(rules)
        and all(_whole(index, channels) for rule in rules for index in rule.writes)
    ):
        return None
    narrowed = Narrowed(channels)
    operators = {rule: rule.narrowed(narrowed) for rule in living}
    weighted = [operator.inputs[1] for rule, (operator, *_) in operators.items() if isinstance(rule, Sums)]
    left = sum(narrowed.tensors[index].elements for index in weighted)
    changed = dataclasses.replace(graph, tensors=tuple(narrowed.tensors))
    run = tuple(operator for each in operators.values() for operator in each)
    return Pruned(changed, run, narrowed.parts, _removed(rules, channels, left))


def _rules(ops: Sequence[Op], channels: Channels, unsure: set[int]) -> list[Rule]:
    """One for each operator. What a constant would be computed from is not linked to it."""
    constants = Constants(channels, unsure)
    rules: list[Rule] = []
    for op in ops:
        links = channels.links
        rule = _rule(op, channels, unsure)
        written = constants.find(rule)
        if written is not None:
            channels.unlink(links)
        rules.append(written or rule)
    channels.tie()
    return rules


def _keep(rules: list[Rule], channels: Channels, whole: set[int]) -> None:
    """What lives. `whole`: tensors of which everything does."""
    for index in whole:
        if channels.followed(index):
            channels.keep_all(index)
    for rule in rules:
        rule.fix()
    _settle(rules, channels)


def _removed(rules: list[Rule], channels: Channels, weights: int) -> RemovedChannels:
    """In numbers; `weights`: how many are left."""
    layers = [layer for rule in rules if isinstance(layer := rule.former if isinstance(rule, Written) else rule, Sums)]
    made = [(layer.y, channel) for layer in layers for channel in range(channels.width(layer.y))]
    written = {tensor.index for rule in rules if isinstance(rule, Written) for tensor in rule.made}
    gone = [node for node in made if node[0] in written or not channels.is_kept(node)]
    constant = sum(node[0] in written or channels.constant(node) for node in gone)
    twins = sum(not channels.constant(node) and channels.twin(channels.root(node)) is not None for node in gone)
    return RemovedChannels(
        channels=len(made),
        constant=constant,
        unread=len(gone) - constant - twins,
        twins=twins,
        constant_operators=sum(isinstance(rule, Written) for rule in rules),
        macs_before=sum(rule.op.macs for rule in rules),
        weights_before=sum(len(row) for layer in layers for row in layer.op.rows),
        weights=weights,
    )


def _whole(tensor: int, channels: Channels) -> bool:
    return len(channels.kept(tensor)) == channels.width(tensor)


def _settle(rules: list[Rule], channels: Channels) -> None:
    """Until no kept channel demands another one. Backward, one walk does nearly always."""
    changed = True
    while changed:
        changed = False
        for rule in reversed(rules):
            for node in rule.demands():
                changed |= channels.keep(node)


def _round_up(rule: Rule, rules: list[Rule], channels: Channels) -> None:
    """Keeps a few more channels where a kernel is made for multiples of them: constants first, which cost least."""
    for tensor, multiple in rule.rounding() if rule.lives else ():
        spare = sorted(range(channels.width(tensor)), key=lambda c: (not channels.constant((tensor, c)), c))
        while len(channels.kept(tensor)) % multiple and not _whole(tensor, channels):
            node = tensor, next(c for c in spare if not channels.is_kept((tensor, c)))
            part(node, rules, channels)
            channels.keep(node)
            _settle(rules, channels)


def _rule(op: Op, channels: Channels, unsure: set[int]) -> Rule:
    """Made of the operator; the general one where no other suits."""
    if unsure.isdisjoint(op.operator.outputs):
        for kind in _RULES:
            if isinstance(op, kind.ops) and kind.suits(op, channels):
                return kind(op, channels)
    return Rule(op, channels)
