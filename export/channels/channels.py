# SPDX-License-Identifier: Apache-2.0
"""The channels of all tensors: what values each can take, which of them stand or fall together, and which are kept.

A channel is a place along a tensor's last dimension, over all positions of the others.
"""

from __future__ import annotations

from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Graph, Tensor

MAX_WIDTH = 1 << 16  # of a tensor that is followed; wider ones are left as they are
MAX_CHANNELS = 1 << 20  # of all tensors together; bounds what a hostile file costs

Span = tuple[int, int]  # lowest and highest value
Node = tuple[int, int]  # tensor and channel


class Channels:
    """Those of the tensors that are followed. `spans` holds what is known of a tensor that has been computed."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.spans: dict[int, list[Span]] = {}
        self.pinned: set[int] = set()  # tensors of which every channel is kept, whoever reads it
        self._start: dict[int, int] = {}
        self._parent: list[int] = []
        self._links: list[tuple[Node, Node]] = []
        self._kept: set[int] = set()
        self._twins: dict[int, int] = {}

    def follow(self, tensor: Tensor) -> bool:
        """Whether the tensor is one that can be followed; then it is."""
        if tensor.index in self._start:
            return True
        width = tensor.shape[-1] if tensor.shape else 0
        if tensor.dtype not in DTYPES or tensor.data is not None or not 0 < width <= MAX_WIDTH or 0 in tensor.shape:
            return False
        self._start[tensor.index] = len(self._parent)
        self._parent += range(len(self._parent), len(self._parent) + width)
        self.spans[tensor.index] = [anything(tensor)] * width
        return True

    @property
    def count(self) -> int:
        """Of all that are followed."""
        return len(self._parent)

    def followed(self, tensor: int) -> bool:
        """Whether `follow` has been told of it."""
        return tensor in self._start

    def width(self, tensor: int) -> int:
        """How many channels a tensor has."""
        return self.graph.tensors[tensor].shape[-1]

    def span(self, node: Node) -> Span:
        """Of one channel."""
        return self.spans[node[0]][node[1]]

    def constant(self, node: Node) -> bool:
        """Whether it has one value at all positions, whatever the input is."""
        low, high = self.span(node)
        return low == high

    def link(self, a: Node, b: Node) -> None:
        """One is kept where the other is, once `tie` is called."""
        self._links.append((a, b))

    @property
    def links(self) -> int:
        """How many were made since the last `tie`."""
        return len(self._links)

    def unlink(self, count: int) -> None:
        """Takes back all but the first `count`."""
        del self._links[count:]

    def tie(self) -> None:
        """Makes the links count. Before anything is kept."""
        for a, b in self._links:
            roots = sorted((self.root(a), self.root(b)))
            self._parent[roots[1]] = roots[0]
        self._links.clear()

    def replace(self, root: int, twin: int) -> None:
        """Whoever wants what is linked to `root` takes what is linked to `twin`, which has the same values."""
        self._twins[root] = twin

    def restore(self, root: int) -> None:
        """Undoes `replace`."""
        del self._twins[root]

    def twin(self, root: int) -> int | None:
        """What stands for `root`, if anything."""
        return self._twins.get(root)

    @property
    def twins(self) -> dict[int, int]:
        """All that `replace` was told of."""
        return dict(self._twins)

    def keep_nothing(self) -> None:
        """As before anything was kept."""
        self._kept.clear()

    def keep(self, node: Node) -> bool:
        """With all that it is linked to; or what stands for it. Whether it was not kept before."""
        root = self.root(node)
        root = self._twins.get(root, root)
        if root in self._kept:
            return False
        self._kept.add(root)
        return True

    def keep_all(self, tensor: int) -> None:
        """Every channel of a tensor."""
        self.pinned.add(tensor)
        for channel in range(self.width(tensor)):
            self.keep((tensor, channel))

    def is_kept(self, node: Node) -> bool:
        """Itself, or what it is linked to."""
        return self.root(node) in self._kept

    def kept(self, tensor: int) -> tuple[int, ...]:
        """The kept channels of a tensor, in their order."""
        return tuple(channel for channel in range(self.width(tensor)) if self.is_kept((tensor, channel)))

    def root(self, node: Node) -> int:
        """A number that it shares with all that it is linked to, and with nothing else."""
        place = self._start[node[0]] + node[1]
        root = place
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[place] != root:
            self._parent[place], place = root, self._parent[place]
        return root


def anything(tensor: Tensor) -> Span:
    """The range of its type."""
    kind = DTYPES[tensor.dtype]
    return kind.low, kind.high


def constant_spans(tensor: Tensor) -> list[Span]:
    """Of a constant: what stands along each place of its last dimension."""
    return [(min(place), max(place)) for place in places(tensor)]


def places(tensor: Tensor) -> list[tuple[int, ...]]:
    """Of a constant: the elements along each place of its last dimension, in their order."""
    width = tensor.shape[-1] if tensor.shape else 1
    values = unpack(tensor.data or b"", tensor.dtype)[: tensor.elements]
    return [values[channel::width] for channel in range(width)]


def hull(*spans: Span) -> Span:
    """The narrowest that holds all of them."""
    return min(low for low, _ in spans), max(high for _, high in spans)
