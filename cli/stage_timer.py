# SPDX-License-Identifier: Apache-2.0
"""The stages that a verb goes through, and how long each of them took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Stages:
    """`seconds`: of each stage, in the order in which they ran. `quiet`: nothing is shown when a stage is over."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._quiet = quiet

    def run(self, name: str, work: Callable[[], T], show: Callable[[T], None] | None = None) -> T:
        """Does the work of a stage, shows what it came to, and returns that."""
        started = time.perf_counter()
        result = work()
        self.seconds[name] = round(time.perf_counter() - started, 2)
        if show is not None and not self._quiet:
            show(result)
        return result


def in_words(seconds: dict[str, float]) -> str:
    """The time of each stage, for a line."""
    return ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
