# SPDX-License-Identifier: Apache-2.0
"""At night: a fleet on bad lines for minutes, many jobs for few boards, and clients of which nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.compiled import compiled
from support.fleet_load import CLIENTS, contend, judge
from support.fleet_soak import PLACES, make_builds, soak
from support.hidden_fault import cancelling_layers, shift_hidden_values
from support.running_fleet import BOARD, copies, running_fleet

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config
from tinyproof.fleet_checking import build_boards, prove_places

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1200)]
SOAK_S = 120
GROWTH_KB = 4096  # of a process, over a soak
JOBS = 100
BOARDS = 8
LEASE_S = 20  # as labgrid_side/agent.py has it


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_builds(tmp_path_factory.mktemp("builds"))


def test_bad_lines_give_no_wrong_verdict_and_leave_nothing_behind(builds: tuple[Path, Path], tmp_path: Path) -> None:
    with running_fleet(tmp_path, copies(PLACES)) as fleet:
        found = soak(fleet, *builds, SOAK_S)
    assert found.wrong == []
    assert {"drop", "garble", "stall", "disconnect"} == found.faults.keys()
    assert min(found.verdicts[kind] for kind in ("proven", "mismatch", "board")) > 0
    assert found.recovered > 0
    for name, (first, last) in found.files.items():
        assert last <= first, f"{name} had {first} files open, and then {last}"
    for name, (first, last) in found.memory_kb.items():
        assert last - first < GROWTH_KB, f"{name} had {first} KB, and then {last}"


def test_two_programs_share_eight_boards_without_loss(builds: tuple[Path, Path], tmp_path: Path) -> None:
    with running_fleet(tmp_path, copies(BOARDS)) as fleet:
        found = judge(contend(fleet, builds[0], BOARDS, JOBS), JOBS)
    assert (found.proven, found.lost, found.twice, found.overlaps, found.overtaken) == (JOBS, 0, 0, 0, 0)
    assert found.by_client == [JOBS // CLIENTS] * CLIENTS


def test_a_client_of_which_nothing_is_left_loses_its_lease(tmp_path: Path) -> None:
    """As when its machine loses power: neither the program nor its client of labgrid's can give anything back."""
    with running_fleet(tmp_path, copies(1)) as fleet:
        holder, client = fleet.hold("m4-0")
        os.kill(client, signal.SIGSTOP)  # it cannot notice that its parent dies
        holder.kill()
        holder.communicate()
        begun = time.monotonic()
        with fleet.client() as waiting, waiting.lease("m4-0", wait_s=60):
            waited = time.monotonic() - begun
        os.kill(client, signal.SIGKILL)
    assert waited + 5 >= LEASE_S
    assert waited < LEASE_S + 15


def test_boards_of_a_second_machine_join_and_leave(builds: tuple[Path, Path], tmp_path: Path) -> None:
    project = builds[0].parent.parent
    (project / "build").symlink_to(builds[0].parent)
    (project / "tinyproof.toml").write_text('model = "small"\n')
    with running_fleet(tmp_path / "lab", copies(1)) as lab:
        bench = {**lab.environment, "XDG_STATE_HOME": str(tmp_path / "bench")}
        command = [sys.executable, "-P", "-m", "tinyproof", "fleet"]
        up = ["up", "--coordinator", lab.address, "--name", "bench3", "--host", "127.0.0.1", "--board", BOARD, "--json"]
        joined = subprocess.run([*command, *up], cwd=project, env=bench, capture_output=True, text=True, check=False)
        assert joined.returncode == 0, joined.stderr
        try:
            assert json.loads(joined.stdout)["places"] == [f"bench3-{BOARD}"]
            done = lab.tinyproof(project, "check", "--fleet", f"board={BOARD}", "--coordinator", lab.address, "--json")
            assert done.returncode == 0, done.stderr
            assert [row["place"] for row in json.loads(done.stdout)["boards"]] == [f"bench3-{BOARD}", "m4-0"]
        finally:
            subprocess.run([*command, "down"], cwd=project, env=bench, check=True)
        with lab.client() as client:
            assert [place.name for place in client.places()] == ["m4-0"]


def test_a_fresh_folder_has_the_lesson_checked(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "tinyproof.toml").touch()
    with running_fleet(tmp_path / "state", copies(1)) as fleet:
        done = fleet.tinyproof(project, "check", "--fleet", "simulated=yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model    y = 2.0")
    assert done.stdout.splitlines()[-1] == "proof    1 of 1 boards: bit-identical to TFLite Micro, answers right"
    assert (project / "build" / "neuron" / "boards" / BOARD / "check.json").is_file()


@pytest.mark.parametrize("shifted", [False, True])
def test_layers_are_compared_on_the_boards_of_a_fleet(
    shifted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compiled(tmp_path / "net", cancelling_layers())
    if shifted:
        shift_hidden_values(folder, monkeypatch)
    board = find_board(BOARD)
    assert build_boards([board], folder, lambda _: None) == {}
    with running_fleet(tmp_path / "state", copies(2)) as fleet, fleet.client() as client:
        rows = prove_places(client, client.places(), folder, Config(model="net"))
    assert [(row.bits_different, row.proven, row.exit_code) for row in rows] == [(0, not shifted, int(shifted))] * 2
    for row in rows:
        assert row.digests is not None, row.digests_note
        assert (row.digests["inputs"], row.digests["different"]) == (32, 32 if shifted else 0)
        assert ("from operator 0 (FULLY_CONNECTED) on" in row.error) == shifted
