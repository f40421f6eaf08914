# SPDX-License-Identifier: Apache-2.0
"""Channels that have the same values as another one of their tensor, for every input, and are computed once for both.

Two channels are the same where the same is computed of the same: each rule says of what, in a key for each channel. A
channel goes only with all that it is linked to, and only if every operator that reads any of it multiplies it by
weights: these are added to those of its twin, w1 x + w2 x = (w1 + w2) x, where all of the sums fit int8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from tinyproof.export.channels.channels import Channels, Node
from tinyproof.export.channels.rules import Rule

MOST_TRIED = 8  # twins of one channel that are tried one after the other; bounds what a hostile file costs


class Numbers:
    """A number for each channel: two channels that share one have the same values for every input."""

    def __init__(self, rules: Sequence[Rule], channels: Channels) -> None:
        self.channels = channels
        self._keys: dict[Hashable, int] = {}
        self._of: dict[int, list[int]] = {}
        for rule in rules:
            keys = rule.keys(self)
            if keys is not None:
                (tensor,) = rule.writes
                for place, (low, high) in enumerate(channels.spans[tensor]):
                    if low == high:
                        keys[place] = "constant", low
                self._of[tensor] = list(map(self._number, keys))

    def of(self, tensor: int) -> list[int]:
        """Of a followed tensor's channels. Those of one that no rule knows are all different."""
        if tensor not in self._of:
            self._of[tensor] = [self._number((tensor, channel)) for channel in range(self.channels.width(tensor))]
        return self._of[tensor]

    def _number(self, key: Hashable) -> int:
        return self._keys.setdefault(key, len(self._keys))


def _free(rules: Sequence[Rule], channels: Channels) -> dict[int, list[Node]]:
    """Root -> all that is linked to it, of channels that live and need not."""
    linked: dict[int, list[Node]] = defaultdict(list)
    tensors = list(dict.fromkeys(tensor for rule in rules for tensor in (*rule.reads, *rule.writes)))
    for tensor in tensors:
        if tensor not in channels.pinned:
            for channel in channels.kept(tensor):
                linked[channels.root((tensor, channel))].append((tensor, channel))
    for tensor in channels.pinned.intersection(tensors) if linked else ():
        for channel in range(channels.width(tensor)):
            linked.pop(channels.root((tensor, channel)), None)
    return linked


def merge_twins(rules: Sequence[Rule], channels: Channels) -> bool:
    """Lets one channel stand for several, wherever it may. After what lives is kept; whether there are any, and then it
    has to be found anew what lives."""
    numbers = Numbers(rules, channels)
    linked = _free(rules, channels)
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for root, nodes in linked.items():
        alike[tuple((tensor, numbers.of(tensor)[channel]) for tensor, channel in sorted(nodes))].append(root)
    for roots in alike.values():
        stay = roots[:1]
        for root in roots[1:]:
            readers = [rule for rule in rules if not {t for t, _ in linked[root]}.isdisjoint(rule.reads)]
            for twin in stay[-MOST_TRIED:]:
                channels.replace(root, twin)
                if all(reader.takes_twins() for reader in readers):
                    break
                channels.restore(root)
            else:
                stay.append(root)
    return bool(channels.twins)


def part(node: Node, rules: Sequence[Rule], channels: Channels) -> None:
    """A channel for which another one stands is computed all the same, and so are others that stood for as much as
    weights could hold only together with it."""
    root = channels.root(node)
    twin = channels.twin(root)
    if twin is None:
        return
    channels.restore(root)
    if not all(rule.takes_twins() for rule in rules):
        for other, its in channels.twins.items():
            if its == twin:
                channels.restore(other)
