# SPDX-License-Identifier: Apache-2.0
"""The emulator of the Raspberry Pi Pico's chip, a package of npm's, installed where it is first needed.

firmware/rp2040js/ has the version and the checksum that npm has to find.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.paths import BUILD, FIRMWARE

RP2040JS = "rp2040js"
SOURCE = FIRMWARE / RP2040JS
FILES = ("package.json", "package-lock.json")
TIMEOUT_S = 120.0

_CODE = re.compile(r"^npm \S+ code (\S+)", re.MULTILINE)
_REMEDIES = {
    "EBADENGINE": "this node is too old for it; install node 18 or newer",
    "EINTEGRITY": "what came is not what firmware/rp2040js/package-lock.json names; nothing of it was kept",
}


def rp2040js_version() -> str:
    """The one that is pinned."""
    document = json.loads((SOURCE / FILES[0]).read_text(encoding="utf-8"))
    return str(document["dependencies"][RP2040JS])


def rp2040js_folder(tools: Path = BUILD / "tools") -> Path:
    """Where the package is, once it is installed."""
    return tools / f"{RP2040JS}-{rp2040js_version()}" / "node_modules" / RP2040JS


def ensure_rp2040js(board: str, packages: str, tools: Path = BUILD / "tools") -> Path:
    """The package's folder, installed by npm where it is missing. `packages`: Debian's, which bring npm.

    Raises EnvironmentFaultError where npm is missing, or cannot fetch what the lock names.
    """
    folder = rp2040js_folder(tools)
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise EnvironmentFaultError(
            f"npm is missing: board {board} runs on its package {RP2040JS}; install it: sudo apt-get install {packages}"
        )
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools) as name:  # renamed when whole: two runs may start together
        partial = Path(name) / "whole"
        partial.mkdir()
        for file in FILES:
            shutil.copy(SOURCE / file, partial / file)
        _install(npm, partial)
        try:
            partial.rename(folder.parents[1])
        except OSError:  # the other run was first
            if not folder.is_dir():
                raise
    return folder


def _install(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--engine-strict", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFaultError(f"npm did not fetch {RP2040JS} in {TIMEOUT_S:.0f} s; try again") from None
    if done.returncode != 0:
        code = _CODE.search(done.stderr)
        name = code[1] if code else f"exit code {done.returncode}"
        remedy = _REMEDIES.get(name, "is npm's registry reachable? then try again")
        raise EnvironmentFaultError(f"npm could not install {RP2040JS} {rp2040js_version()} ({name}): {remedy}")
