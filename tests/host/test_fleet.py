# SPDX-License-Identifier: Apache-2.0
"""Boards on labgrid: who comes first has them, leases end with their clients, and what dies comes back."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from support.running_fleet import BOARD, RunningFleet, copies, running_fleet
from support.shared_builds import tiny_firmware

from tinyproof.cli.main import main
from tinyproof.core.config import Config
from tinyproof.core.errors import BoardError, EnvironmentFaultError, UsageError
from tinyproof.fleet_checking import FleetEars, FleetRow, as_fleet_document, fault_of, matching, prove_places
from tinyproof.host.fleet import daemons
from tinyproof.host.fleet.coordinator import client_name, holder_in_words
from tinyproof.host.fleet.state import Offer, ShelfPlan, State
from tinyproof.host.targets.reference_board import ReferenceBoard
from tinyproof.host.transport import usb
from tinyproof.host.transport.usb import Plugged

PLACES = 2
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a fleet is offered from POSIX systems")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a small model, exported, and its firmware."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tinyproof.toml").write_text('model = "small"\n')
    (folder / "build").mkdir()
    shutil.copytree(tiny_firmware(tmp_path_factory), folder / "build" / "small")
    return folder


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFleet]:
    with running_fleet(tmp_path_factory.mktemp("state"), copies(PLACES)) as running:
        yield running


def prove(fleet: RunningFleet, folder: Path, ears: FleetEars | None = None) -> list[FleetRow]:
    """Of all its places."""
    with fleet.client() as client:
        return prove_places(client, client.places(), folder, Config(model="small"), ears, wait_s=20)


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_all_that_match_are_proven_at_once(fleet: RunningFleet, project: Path, tmp_path: Path) -> None:
    junit = tmp_path / "fleet.xml"
    done = fleet.tinyproof(project, "check", "--fleet", f"board={BOARD}", "--json", "--junit", str(junit))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["proven"] is True
    assert [row["place"] for row in document["boards"]] == ["m4-0", "m4-1"]
    for row in document["boards"]:
        assert {"board", "place", "bits_checked", "bits_different", "waited_s"} <= row.keys()
        assert (row["board"], row["bits_checked"], row["bits_different"]) == (BOARD, 256, 0)
        assert 0 <= row["waited_s"] < 5
    suite = ElementTree.parse(junit).getroot()
    assert [case.get("name") for case in suite.findall("testcase")] == ["m4-0", "m4-1"]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_the_table_fits_and_ends_with_one_verdict(fleet: RunningFleet, project: Path) -> None:
    done = fleet.tinyproof(project, "check", "--fleet", "isa=armv7em", "--fleet", "name=m4-1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "fleet    1 board at once"
    assert lines[2].split()[:5] == ["m4-1", "armv7em", *lines[2].split()[2:4], "256/256"]
    assert lines[-1] == "proof    1 of 1 boards: bit-identical to TFLite Micro"
    assert max(map(len, lines)) <= 80


def test_status_says_who_holds_what(fleet: RunningFleet, project: Path) -> None:
    holder, _ = fleet.hold("m4-0")
    try:
        document = json.loads(fleet.tinyproof(project, "fleet", "status", "--json").stdout)
        shown = CliRunner().invoke(main, ["fleet", "status", "--coordinator", fleet.address]).stdout
    finally:
        end(holder)
    held, free = document["places"]
    assert held["tags"] == {"board": BOARD, "isa": "armv7em", "simulated": "yes"}
    assert f".tinyproof-{holder.pid}-" in held["held_by"]
    assert abs(held["since"] - time.time()) < 60
    assert (free["place"], free["held_by"], free["since"]) == ("m4-1", None, None)
    assert f"(process {holder.pid})" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_client_that_is_killed_leaves_its_board_to_who_waits(fleet: RunningFleet, project: Path) -> None:
    holder, _ = fleet.hold("m4-0")
    waiting = fleet.start(project, "check", "--fleet", "name=m4-0", "--json")
    assert waiting.stderr is not None
    said = waiting.stderr.readline()  # who holds it, as long as it waits
    assert said.startswith("place m4-0 is held by "), said
    assert f"(process {holder.pid}) since " in said
    holder.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    out, err = waiting.communicate(timeout=60)
    holder.communicate()
    assert waiting.returncode == 0, err
    assert json.loads(out)["boards"][0]["waited_s"] > 0
    assert time.monotonic() - killed < 15  # and not after the 20 s that a client without a sign of life has


def test_ctrl_c_gives_back_what_is_held(fleet: RunningFleet, project: Path) -> None:
    holder, _ = fleet.hold("m4-1")
    waiting = fleet.start(project, "check", "--fleet", f"board={BOARD}")
    assert waiting.stderr is not None
    assert "m4-1 is held by" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30)
    end(holder)
    assert waiting.returncode == 130, err
    assert err.splitlines()[-1] == "stopped"
    fleet.await_all()


@pytest.mark.nightly
def test_labgrids_own_client_is_waited_for(fleet: RunningFleet, project: Path) -> None:
    labgrid = [str(fleet.python), "-P", "-m", "labgrid.remote.client", "-x", fleet.address, "-p", "m4-1"]
    named = {**os.environ, "LG_HOSTNAME": "desk", "LG_USERNAME": "ada"}
    subprocess.run([*labgrid, "lock"], env=named, check=True, capture_output=True, timeout=30)
    try:
        done = fleet.tinyproof(project, "check", "--fleet", "name=m4-1", "--wait", "0.5")
    finally:
        subprocess.run([*labgrid, "unlock"], env=named, check=True, capture_output=True, timeout=30)
    assert done.returncode == 3
    assert done.stderr.splitlines()[0].startswith("place m4-1 is held by ada@desk since ")
    assert done.stderr.splitlines()[-1] == (
        "Error: 1 of 1 boards not proven; m4-1: held by desk/ada, and not free within 0.5 s"
    )


def strike(place: str, kill: Callable[[], int]) -> FleetEars:
    """Kills a process in the middle of the check of `place`: the one that `kill` names."""
    struck = threading.Event()

    def now(where: str, words: str, done: float, total: int) -> None:
        if where == place and words == "checks" and done >= 20 and not struck.is_set():
            struck.set()
            os.kill(kill(), signal.SIGKILL)
            time.sleep(0.2)  # so that what follows is asked of a dead one

    return FleetEars(now)


@pytest.mark.nightly
def test_an_exporter_that_dies_is_one_line_and_comes_back(fleet: RunningFleet, project: Path) -> None:
    rows = prove(fleet, project / "build" / "small", strike("m4-0", lambda: fleet.process("exporter.py")))
    assert rows[0].exit_code == 3
    for row in rows:
        words = f"place {row.place}: its exporter (bench) went away in the middle of it; run it again when it is back"
        assert row.error == ("" if row.proven else words)
    fleet.await_all()
    assert all(row.proven for row in prove(fleet, project / "build" / "small"))


@pytest.mark.nightly
def test_a_coordinator_that_dies_is_one_line_and_comes_back(fleet: RunningFleet, project: Path) -> None:
    rows = prove(fleet, project / "build" / "small", strike("m4-0", lambda: fleet.process("remote.coordinator")))
    assert rows[0].exit_code == 3
    assert rows[0].error == (
        f"place m4-0: the coordinator at {fleet.address} went away in the middle of it; run it again when it is back"
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            fleet.await_all()
            break
        except (BoardError, EnvironmentFaultError):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert all(row.proven for row in prove(fleet, project / "build" / "small"))


def test_a_board_that_disappears_is_one_line_and_the_others_go_on(fleet: RunningFleet, project: Path) -> None:
    folder = project / "build" / "small"
    holder, _ = fleet.hold("m4-1")  # so that the only emulator is that of m4-0
    try:
        with fleet.client() as client:
            places = matching(client.places(), {"name": "m4-0"}, fleet.address)
            ears = strike("m4-0", lambda: fleet.process("qemu-system-arm"))
            (row,) = prove_places(client, places, folder, Config(model="small"), ears)
            assert (row.exit_code, row.proven) == (3, False)
            assert row.error.startswith("place m4-0: port socket://127.0.0.1:")
            assert len(row.error.splitlines()) == 1
            (row,) = prove_places(client, places, folder, Config(model="small"))
            assert row.proven
    finally:
        end(holder)


def test_a_wrong_bit_is_a_mismatch_of_all(
    fleet: RunningFleet, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyproof.checking.locate", lambda *_: "")  # which builds another firmware
    folder = Path(shutil.copytree(project / "build" / "small", tmp_path / "small"))
    vectors = folder / "vectors.json"
    document = json.loads(vectors.read_text())
    document["vectors"][7]["out"] = f"{int(document['vectors'][7]['out'], 16) ^ 1:02x}"
    vectors.write_text(json.dumps(document))
    rows = prove(fleet, folder)
    assert [(row.bits_checked, row.bits_different, row.exit_code) for row in rows] == [(256, 1, 1)] * PLACES
    assert as_fleet_document(rows, fleet.address)["proven"] is False
    fault = fault_of([*rows, dataclasses.replace(rows[0], exit_code=3)])
    assert fault is not None
    assert (fault.exit_code, fault.message.startswith("3 of 3 boards not proven; m4-0: ")) == (1, True)


@pytest.mark.filterwarnings(r"ignore:set\w+\(\) is deprecated:DeprecationWarning")  # of pyserial's rfc2217
def test_a_real_board_that_runs_the_model_is_asked_over_rfc2217(project: Path, tmp_path: Path) -> None:
    folder = project / "build" / "small"
    with ExitStack() as stack:
        board = stack.enter_context(ReferenceBoard(folder, pty=True))
        desk = Offer("desk-nano", "nano33ble", board.port)
        fleet = stack.enter_context(running_fleet(tmp_path / "state", (desk,)))
        (row,) = prove(fleet, folder)
    assert row.proven, row.error
    assert (row.bits_checked, row.flash_bytes) == (256, None)


def test_what_is_asked_for_and_not_there_is_said(fleet: RunningFleet, project: Path) -> None:
    done = fleet.tinyproof(project, "check", "--fleet", "board=esp32")
    assert done.returncode == 3
    words = f"Error: no place at {fleet.address} has board=esp32; there are board={BOARD} ("
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1
    nobody = CliRunner().invoke(main, ["fleet", "status", "--coordinator", "127.0.0.1:9"])
    assert nobody.exit_code == 3
    assert nobody.stderr.startswith("Error: no coordinator at 127.0.0.1:9: ")
    assert len(nobody.stderr.splitlines()) == 1
    with pytest.raises(UsageError, match="a fleet is up already"):
        daemons.up(daemons.read_plan())


def test_a_board_that_is_named_is_not_offered_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, link = tmp_path / "ttyACM0", tmp_path / "usb-Nano"
    device.touch()
    link.symlink_to(device)
    plans: list[ShelfPlan] = []

    def up(plan: ShelfPlan) -> State:
        plans.append(plan)
        return State(1, plan.listen, plan.name, tuple(offer.place for offer in plan.offers), 0.0)

    monkeypatch.setattr(daemons, "up", up)
    monkeypatch.setattr(usb, "list_plugged", lambda: [Plugged(str(device), "2341:805a", "", "", ("nano33ble",), False)])
    monkeypatch.setattr(usb, "stable_port", lambda port: str(link))
    command = ["fleet", "up", "--board", BOARD]
    for named in ([], ["--device", f"nano33ble={device}"]):
        assert CliRunner().invoke(main, [*command, *named, "--json"]).exit_code == 0
    found, given = (plan.offers for plan in plans)
    assert found == (Offer(BOARD, BOARD), Offer("nano33ble", "nano33ble", str(link)))
    assert given == (Offer(BOARD, BOARD), Offer("nano33ble", "nano33ble", str(device)))


def test_a_client_is_named_as_labgrid_names_its_own() -> None:
    name = client_name()
    assert name.count("/") == 1
    assert holder_in_words(name).endswith(f"(process {os.getpid()})")
    assert holder_in_words("desk/ada") == "ada@desk"
