# SPDX-License-Identifier: Apache-2.0
"""How work is dealt out: between threads that each have something of their own, and between kinds in turns."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Own = TypeVar("Own")
Result = TypeVar("Result")


def each_with_one(owned: Sequence[Own], work: Callable[[Own, Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """work(own, item) of each item, in their order, by as many threads as are `owned`: none has one at the same time as
    another."""
    free: queue.SimpleQueue[Own] = queue.SimpleQueue()
    for own in owned:
        free.put(own)

    def one(item: Item) -> Result:
        own = free.get()
        try:
            return work(own, item)
        finally:
            free.put(own)

    with ThreadPoolExecutor(len(owned)) as pool:
        yield from pool.map(one, items)


def in_turns(piles: Sequence[list[Item]]) -> Iterator[Item]:
    """The last of each pile, then those before them, and so on; the piles are used up."""
    while any(piles):
        for pile in piles:
            if pile:
                yield pile.pop()
