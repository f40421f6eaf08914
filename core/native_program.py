# SPDX-License-Identifier: Apache-2.0
"""Small C programs of our own that run on this machine, compiled where they are first needed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.errors import EnvironmentFaultError

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


def ensure_compiled(source: Path, target: Path, options: Sequence[str], *, purpose: str, package: str) -> Path:
    """`target`, compiled from `source` anew where it is older. `options` follow the source on gcc's command line.

    Raises EnvironmentFaultError, which begins with `purpose` and names the Debian packages that bring what is missing.
    """
    if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=target.parent)  # renamed when whole: two runs may start together
    os.close(descriptor)
    command = ["gcc", *FLAGS, str(source), "-o", partial, *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line or "cannot find" in line]
            raise EnvironmentFaultError(
                f"{purpose}, and {source.name} cannot be compiled: "
                f"{lines[0] if lines else done.stderr.strip()[-200:]}; install it: sudo apt-get install {package}"
            )
        Path(partial).chmod(0o755)
        Path(partial).replace(target)
    except FileNotFoundError:
        raise EnvironmentFaultError(f"gcc is missing: {purpose}; install it: sudo apt-get install {package}") from None
    finally:
        Path(partial).unlink(missing_ok=True)
    return target
