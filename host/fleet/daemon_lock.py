# SPDX-License-Identifier: Apache-2.0
"""Whether a fleet is up: its process holds a lock, which the kernel lets go of however that ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tinyproof.core.build_lock import take
from tinyproof.core.errors import EnvironmentFaultError

FILE = "fleet.lock"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Raises EnvironmentFaultError where another process holds it."""
    with (folder / FILE).open("ab") as file:
        if not take(file, shared=False, wait=False):
            raise EnvironmentFaultError("a fleet is up already; ./tinyproof fleet down ends it")
        yield


def is_held(folder: Path) -> bool:
    """Whether a process holds it."""
    if not (folder / FILE).exists():
        return False
    with (folder / FILE).open("ab") as file:
        return not take(file, shared=False, wait=False)
