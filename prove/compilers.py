# SPDX-License-Identifier: Apache-2.0
"""gcc and g++ of this machine."""

from __future__ import annotations

import subprocess

from tinyproof.core.errors import EnvironmentFaultError


def ask_compiler(command: list[str]) -> subprocess.CompletedProcess[str]:
    """What it says, whatever that is. Raises EnvironmentFaultError where it is missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        tool = command[0]
        raise EnvironmentFaultError(f"{tool} is missing; install it: sudo apt-get install {tool}") from None


def run_compiler(command: list[str], fault: str) -> str:
    """What it prints. Raises EnvironmentFaultError where it refuses its work, `fault` in words, or is missing."""
    done = ask_compiler(command)
    if done.returncode != 0:
        raise EnvironmentFaultError(f"{fault}: {done.stderr.strip()[-300:]}")
    return done.stdout
