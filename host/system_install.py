# SPDX-License-Identifier: Apache-2.0
"""Installs Debian packages, on the user's word: `tinyproof doctor --install`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from tinyproof.core.errors import EnvironmentFaultError

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}


def install(packages: Sequence[str], announce: Callable[[str], object], run: Run | None = None) -> None:
    """apt-get install, as root or with sudo; `announce` is told the command before it runs.

    Raises EnvironmentFaultError naming the packages where there is no apt-get, the command where it may not be run
    from here, and apt-get's last words where it fails.
    """
    run = run or _run
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise EnvironmentFaultError(
            f"this system has no apt-get; these are Debian's names of what is missing: {names}; install it with your "
            "package manager"
        )
    prefix = _as_root(names)
    commands = [
        [*prefix, "apt-get", "update", "-qq"],
        [*prefix, "env", *(f"{key}={value}" for key, value in ENVIRONMENT.items()), "apt-get", "install", "-y", "-qq"],
    ]
    commands[1] += ["--no-install-recommends", *packages]
    for command in commands:
        announce(" ".join(command))
        done = run(command)
        if done.returncode != 0:
            lines = [line for line in done.stdout.splitlines() if line.strip()]  # what it says of errors is among it
            raise EnvironmentFaultError(
                f"{' '.join(command)} failed: {lines[-1] if lines else f'exit code {done.returncode}'}"
            )


def _as_root(names: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    asks = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode != 0 if sudo else True
    if sudo is None or (asks and not sys.stdin.isatty()):
        raise EnvironmentFaultError(f"this needs root; run: apt-get update && apt-get install {names}")
    return [sudo]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
