# SPDX-License-Identifier: Apache-2.0
"""A child process that ends when we do, however we do: an emulator, or a program that writes a board's flash."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends SIGKILL to the child when its parent dies, however it dies, or the thread
    that started it. Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork, where little may be done
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before prctl took effect
            os._exit(1)

    return arrange
