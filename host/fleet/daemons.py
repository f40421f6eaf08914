# SPDX-License-Identifier: Apache-2.0
"""`fleet up` and `fleet down`: the shelf of this machine, started and ended; and which coordinator is meant."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tinyproof.core.converter import read_json, structure
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import write_at_once
from tinyproof.host.fleet.daemon_lock import is_held
from tinyproof.host.fleet.state import READY_S, STATE, WANTED, ShelfPlan, State

LOG = "fleet.log"
STOP_S = 20.0
POLL_S = 0.05

_started: dict[
    int, subprocess.Popen[bytes]
] = {}  # by this process, which reaps them, where it is the one that ends them


def state_folder() -> Path:
    """Where the fleet of this user is written down: $XDG_STATE_HOME/tinyproof/fleet."""
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "tinyproof" / "fleet"


def refuse_windows() -> None:
    """Raises UsageError where boards cannot be offered."""
    if sys.platform == "win32":
        raise UsageError("a fleet is offered from Linux or macOS; use one elsewhere: --coordinator HOST:PORT")


def state() -> State | None:
    """Of the fleet that is up on this machine; None where there is none."""
    folder = state_folder()
    if sys.platform == "win32" or not (folder / STATE).is_file() or not is_held(folder):
        return None
    return structure(read_json(folder / STATE), State)


def read_plan() -> ShelfPlan:
    """What the fleet of this machine was last started with."""
    return structure(read_json(state_folder() / WANTED), ShelfPlan)


def up(wanted: ShelfPlan) -> State:
    """Starts the shelf in the background, and returns when all its places can be had.

    Raises UsageError where a fleet is up already, EnvironmentFaultError where it cannot be started.
    """
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if is_held(folder):
        raise UsageError("a fleet is up already; ./tinyproof fleet status shows it, ./tinyproof fleet down ends it")
    write_at_once(folder / WANTED, json.dumps(asdict(wanted), indent=1))
    (folder / STATE).unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", "tinyproof.host.fleet.shelf", str(folder)]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    _started[process.pid] = process
    deadline = time.monotonic() + 3 * READY_S
    try:
        while (found := state()) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise EnvironmentFaultError(_last_line(folder / LOG) or "the fleet does not start")
            time.sleep(POLL_S)
    except BaseException:
        process.terminate()
        _started.pop(process.pid).wait(STOP_S)
        raise
    return found


def down() -> State:
    """Ends it, with all leases on its boards. Raises UsageError where none is up."""
    found = state()
    if found is None:
        raise UsageError("no fleet is up on this machine; ./tinyproof fleet up starts one")
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while is_held(state_folder()):
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            deadline += STOP_S
        time.sleep(POLL_S)
    if (process := _started.pop(found.pid, None)) is not None:
        process.wait(STOP_S)
    return found


def coordinator_address(named: str | None, configured: str) -> str:
    """The one that is meant: by --coordinator, by the settings, or that of the fleet which is up on this machine."""
    if address := named or configured:
        return address
    found = state()
    if found is None:
        raise UsageError(
            "no fleet is up on this machine: ./tinyproof fleet up starts one, --coordinator HOST:PORT (or coordinator "
            "in [fleet] of tinyproof.toml) names another"
        )
    return found.coordinator


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")
