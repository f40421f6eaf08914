# SPDX-License-Identifier: Apache-2.0
"""labgrid's own environment: made the first time that a fleet is used, in the user's data folder.

It cannot be an extra of ours: labgrid brings a fork of pyserial under pyserial's import name, and whichever of the two
is installed last would be what everybody gets.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.build_lock import locked
from tinyproof.core.errors import EnvironmentFaultError

REQUIREMENTS = Path(__file__).with_name("labgrid.txt")
PROGRAMS = Path(__file__).with_name("labgrid_side")
_SHOWN_CHARACTERS = 300  # of what pip says when it fails


def data_folder() -> Path:
    """Where tinyproof keeps what is this user's, and no build: $XDG_DATA_HOME/tinyproof, or as the system has it."""
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "tinyproof"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "tinyproof"
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/tinyproof").expanduser()
    return Path("~/.local/share/tinyproof").expanduser()


def labgrid_python(say: Callable[[str], None], folder: Path | None = None) -> Path:
    """The Python that has labgrid, in an environment that is made first where there is none; `say` hears that it is.

    Another release of labgrid, or of Python, has another environment. Raises EnvironmentFaultError.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = (folder or data_folder()) / f"labgrid-{wanted}-py{version}"
    python = _python_of(place)
    if python.exists():
        return python
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFaultError(
            f"{place.parent} cannot be made: {error.strerror}; labgrid's environment comes there (or to XDG_DATA_HOME)"
        ) from None
    with locked(place, waits=lambda: say("another tinyproof makes labgrid's environment; waiting for it")):
        if not python.exists():
            say(f"making labgrid's environment in {place} (once; about half a minute)")
            _make(place)
    return python


def _python_of(place: Path) -> Path:
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _make(place: Path) -> None:
    """Under another name until it is whole: one that was stopped halfway is no environment."""
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = ["-P", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", "-r", str(REQUIREMENTS)]
    _run([sys.executable, "-P", "-m", "venv", str(partial)], "could not make labgrid's environment")
    _run(
        [str(_python_of(partial)), *pip],
        "could not install labgrid into its environment; is the package index reachable?",
    )
    partial.rename(place)


def _run(command: list[str], fault: str) -> None:
    unset = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
        raise EnvironmentFaultError(f"{fault} {said[-_SHOWN_CHARACTERS:]}")
