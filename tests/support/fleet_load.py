# SPDX-License-Identifier: Apache-2.0
"""What a fleet bears, measured: `python -P -m support.fleet_load contention|overhead|leases`.

contention: two programs with half of the jobs each want the same places; overhead: a check through the fleet beside the
same check without one; leases: how many a second the coordinator gives, and what one costs its processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from support.fleet_soak import make_builds
from support.running_fleet import BOARD, RunningFleet, copies, resident_kb, running_fleet
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig, Config
from tinyproof.fleet_checking import FleetEars, prove_places
from tinyproof.host.check import check
from tinyproof.host.fleet.coordinator import Coordinator

CLIENTS = 2
PATIENT = Config(model="small", check=CheckConfig(timeout_s=10.0))  # on a machine with more emulators than cores
LET_PASS_S = 0.1  # two that ask within this time may come in either order


@dataclass(frozen=True)
class Job:
    """One job of the contention; moments of the machine's monotonic clock."""

    number: int
    client: int
    place: str
    asked: float
    got: float
    ended: float
    proven: bool
    error: str


def contend(fleet: RunningFleet, folder: Path, places: int, jobs: int) -> list[Job]:
    """All jobs, as the two programs wrote them down."""
    module = [sys.executable, "-P", "-m", "support.fleet_load", "client"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    clients = []
    for number in range(CLIENTS):
        words = (fleet.address, fleet.python, folder, number, places, jobs)
        command = [*module, *map(str, words)]
        clients.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    return [Job(**json.loads(line)) for client in clients for line in client.communicate()[0].splitlines()]


def run_client(address: str, python: Path, folder: Path, client: int, places: int, jobs: int) -> None:
    """The jobs of one program: every second one of all, as many at a time as there are places, each on one of them."""
    lock = threading.Lock()
    with Coordinator(address, python) as fleet:
        known = {place.name: place for place in fleet.places()}

        def work(number: int) -> None:
            place = known[f"m4-{number // CLIENTS % places}"]
            moments = [time.monotonic()]  # and then all at which the place was ours

            def now(where: str, words: str, done: float, total: int) -> None:
                if words in ("flashes", "checks"):
                    moments.append(time.monotonic())

            (row,) = prove_places(fleet, [place], folder, PATIENT, FleetEars(now))
            done = Job(
                *(number, client, place.name, moments[0], moments[1], moments[-1]),
                *(row.proven and row.bits_checked == 256, row.error),
            )
            with lock:
                print(json.dumps(asdict(done)), flush=True)

        with ThreadPoolExecutor(places) as pool:
            list(pool.map(work, range(client, jobs, CLIENTS)))


@dataclass(frozen=True)
class Contention:
    """`lost`, `twice`: jobs. `overlaps`: jobs during which another had the place. `overtaken`: jobs before which one
    was served that came more than LET_PASS_S later. Waits in seconds."""

    jobs: int
    proven: int
    lost: int
    twice: int
    overlaps: int
    overtaken: int
    seconds: float
    wait_median_s: float
    wait_worst_s: float
    by_client: list[int]


def judge(done: list[Job], jobs: int) -> Contention:
    """What the jobs come to."""
    numbers = [job.number for job in done]
    overlaps = overtaken = 0
    for place in {job.place for job in done}:
        served = sorted((job for job in done if job.place == place), key=lambda job: job.got)
        for index, job in enumerate(served):
            overlaps += any(later.got < job.ended for later in served[index + 1 :])
            overtaken += any(job.asked > later.asked + LET_PASS_S for later in served[index + 1 :])
    waits = [job.got - job.asked for job in done]
    return Contention(
        jobs=jobs,
        proven=sum(job.proven for job in done),
        lost=len(set(range(jobs)) - set(numbers)),
        twice=len(numbers) - len(set(numbers)),
        overlaps=overlaps,
        overtaken=overtaken,
        seconds=round(max(job.ended for job in done) - min(job.asked for job in done), 2),
        wait_median_s=round(statistics.median(waits), 2),
        wait_worst_s=round(max(waits), 2),
        by_client=[sum(job.client == client for job in done) for client in range(CLIENTS)],
    )


def measure_overhead(fleet: RunningFleet, folder: Path, count: int) -> dict[str, float]:
    """Medians in seconds of `count` checks each."""
    board = find_board(BOARD)

    def timed(work: Callable[[], object]) -> float:
        begun = time.monotonic()
        work()
        return time.monotonic() - begun

    found = {"alone_s": [timed(lambda: check(board, folder, None, PATIENT.check)) for _ in range(count)]}
    found["connect_s"] = [timed(lambda: fleet.client().close()) for _ in range(5)]
    with fleet.client() as client:
        place = client.places()[:1]
        rows = [prove_places(client, place, folder, PATIENT)[0] for _ in range(count)]
    assert all(row.proven for row in rows)
    for part in ("waited_s", "flash_s", "check_s", "release_s"):
        found[part] = [getattr(row, part) for row in rows]
    return {name: round(statistics.median(values), 4) for name, values in found.items()}


def measure_leases(fleet: RunningFleet, active: int, seconds: float, idle: int) -> dict[str, float]:
    """Leases taken and given back without a check, on `active` places at once; `idle` more clients hear of them."""
    coordinator = fleet.process("remote.coordinator")
    with ExitStack() as stack:
        client, *_ = [stack.enter_context(fleet.client()) for _ in range(1 + idle)]
        counts = [0] * active
        until = time.monotonic() + seconds

        def work(number: int) -> None:
            while time.monotonic() < until:
                with client.lease(f"m4-{number}"):
                    counts[number] += 1

        before, begun = _cpu_s(coordinator), time.monotonic()
        with ThreadPoolExecutor(active) as pool:
            list(pool.map(work, range(active)))
        took, cpu = time.monotonic() - begun, _cpu_s(coordinator) - before
    return {
        "places": len(fleet.state.places),
        "active": active,
        "idle_clients": idle,
        "leases": sum(counts),
        "leases_per_s": round(sum(counts) / took, 1),
        "coordinator_cpu_ms_per_lease": round(1000 * cpu / sum(counts), 2),
        **{f"{name}_rss_kb": resident_kb(pid) for name, pid in fleet.processes().items()},
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    if sys.argv[1:2] == ["client"]:
        address, python, folder, *numbers = sys.argv[2:]
        run_client(address, Path(python), Path(folder), *map(int, numbers))
        return
    parser = argparse.ArgumentParser(prog="support.fleet_load", description=__doc__)
    parser.add_argument("what", choices=("contention", "overhead", "leases"))
    parser.add_argument("--places", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--active", type=int, default=0, help="places that are leased, of all of them")
    parser.add_argument("--idle", type=int, default=0, help="clients that are connected and do nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        right, _ = make_builds(Path(scratch))
        with running_fleet(Path(scratch) / "state", copies(arguments.places)) as fleet:
            if arguments.what == "contention":
                document = asdict(judge(contend(fleet, right, arguments.places, arguments.jobs), arguments.jobs))
            elif arguments.what == "overhead":
                document = dict(measure_overhead(fleet, right, arguments.jobs))
            else:
                document = dict(
                    measure_leases(fleet, arguments.active or arguments.places, arguments.seconds, arguments.idle)
                )
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
