# SPDX-License-Identifier: Apache-2.0
"""How many processors this process may use: a container or taskset leaves it fewer than the machine has."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """At least one. Only Linux says what this process may use; elsewhere it is what the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
