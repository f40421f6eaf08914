# SPDX-License-Identifier: Apache-2.0
"""Four boards of a fleet, checked over and over on a bad line: `python -P -m support.fleet_soak --seconds 3600`.

Every check leases its board, puts a firmware there, asks 256 vectors through a line with faults, and gives back. One
check in five is of vectors of which one is wrong, so that a proof would be a wrong verdict, too. Checks on a line that
breaks have to end with one line and the exit code of a board; the next one on that board has to be right again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from support.compiled import compiled
from support.faulty_line import FaultyLine, LineFaults
from support.running_fleet import BOARD, RunningFleet, copies, resident_kb, running_fleet
from support.two_layers import two_layers
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.fleet.coordinator import Coordinator
from tinyproof.host.fleet.place_ports import send_firmware

PLACES = 4
KINDS = ("none", "drop", "garble", "stall", "disconnect")
CONFIG = CheckConfig(timeout_s=0.25, retries=20)
WARM_UP = 10  # checks on each place, after which memory and files count


@dataclass
class Soak:
    """`verdicts`: checks by what they came to. `recovered`: checks that were right in spite of faults on their line, or
    right after one whose line broke. `memory_kb`, `files`: by process, at the start and at the end."""

    seconds: float = 0.0
    checks: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    recovered: int = 0
    memory_kb: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, list[int]] = field(default_factory=dict)


def soak(fleet: RunningFleet, right: Path, wrong: Path, seconds: float) -> Soak:
    """Runs for so long after the warm-up."""
    found, lock = Soak(), threading.Lock()
    with fleet.client() as client:
        _on_all(lambda place: _life(client, place, right, wrong, Soak(), lock, checks=WARM_UP))
        processes = {"host": os.getpid(), "client": client.process.pid, **fleet.processes()}
        _measure(found, processes)
        begun = time.monotonic()
        _on_all(lambda place: _life(client, place, right, wrong, found, lock, until=begun + seconds))
        found.seconds = round(time.monotonic() - begun, 1)
        time.sleep(1.0)  # what was given back last is tidied up by then
        _measure(found, processes)
    return found


def _on_all(work: Callable[[int], None]) -> None:
    """On all places at once. Raises what one of them has raised: a soak that lost a place has not seen its checks."""
    with ThreadPoolExecutor(PLACES) as pool:
        list(pool.map(work, range(PLACES)))


def _life(
    client: Coordinator,
    place: int,
    right: Path,
    wrong: Path,
    found: Soak,
    lock: threading.Lock,
    checks: int = 0,
    until: float = 0.0,
) -> None:
    """One board's checks: the number of the check says which fault and which truth, so that two soaks are alike."""
    number, broken = 0, False
    while number < checks or time.monotonic() < until:
        kind = KINDS[number % len(KINDS)]
        folder = wrong if (number // len(KINDS)) % len(KINDS) == place % len(KINDS) else right
        seed = 1000 * place + number
        faults = LineFaults(
            seed,
            drop=0.02 if kind == "drop" else 0.0,
            garble=0.02 if kind == "garble" else 0.0,
            stall=0.01 if kind == "stall" else 0.0,
            break_at=20 + seed % 200 if kind == "disconnect" else -1,
        )
        verdict, injected, repeats = _check(client, f"m4-{place}", folder, faults)
        expected = {"disconnect": "board"}.get(kind, "proven" if folder == right else "mismatch")
        with lock:
            found.checks += 1
            found.verdicts[verdict] += 1
            found.faults += injected
            found.repeats += repeats
            if verdict != expected:
                found.wrong.append(f"m4-{place} check {number}, {kind}: {verdict}, not {expected}")
            elif verdict != "board" and (injected or broken):
                found.recovered += 1
        broken = verdict == "board"
        number += 1


def _check(client: Coordinator, place: str, folder: Path, faults: LineFaults) -> tuple[str, Counter[str], int]:
    board = find_board(BOARD)
    injected: Counter[str] = Counter()
    try:
        with client.lease(place) as lease:
            assert lease.flash is not None
            elf = folder / "boards" / BOARD / "firmware.elf"
            send_firmware(lease.flash, {elf.name: elf.read_bytes()})
            with FaultyLine(lease.port, faults) as line:
                injected = line.injected
                report = check(board, folder, line.port, CONFIG)
    except BoardError as error:
        clear = bool(injected["disconnect"]) and len(error.message.splitlines()) == 1
        return "board" if clear else f"board: {error.message}", injected, 0
    if report.proven:
        return "proven", injected, report.bits.repeats
    return "mismatch" if report.bits.different == 1 else f"{report.mismatch()}", injected, report.bits.repeats


def _measure(found: Soak, processes: dict[str, int]) -> None:
    for name, pid in processes.items():
        found.memory_kb.setdefault(name, []).append(resident_kb(pid))
        found.files.setdefault(name, []).append(len(list(Path(f"/proc/{pid}/fd").iterdir())))


def make_builds(root: Path) -> tuple[Path, Path]:
    """A build, and the same with one expected answer wrong by one."""
    (root / "right").mkdir(parents=True)
    right = compiled(root / "right" / "small", two_layers())
    build(find_board(BOARD), right)
    wrong = Path(shutil.copytree(right, root / "wrong" / "small"))
    vectors = wrong / "vectors.json"
    document = json.loads(vectors.read_text())
    document["vectors"][100]["out"] = f"{int(document['vectors'][100]['out'], 16) ^ 1:02x}"
    vectors.write_text(json.dumps(document))
    return right, wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="support.fleet_soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        right, wrong = make_builds(Path(scratch))
        with running_fleet(Path(scratch) / "state", copies(PLACES)) as fleet:
            found = soak(fleet, right, wrong, arguments.seconds)
    print(json.dumps(vars(found), indent=1))
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    main()
