# SPDX-License-Identifier: Apache-2.0
"""Boards on labgrid: who comes first has them, leases end with their clients, and what dies comes back."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from support.running_fleet import BOARD, RunningFleet, copies, running_fleet
from support.shared_builds import tiny_firmware

from tinyproof.cli.main import main
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig, Config
from tinyproof.core.errors import BoardError, EnvironmentFaultError, UsageError
from tinyproof.fleet_checking import FleetEars, FleetRow, as_fleet_document, fault_of, matching, prove_places
from tinyproof.host.check import check
from tinyproof.host.fleet import daemons, place_ports
from tinyproof.host.fleet.coordinator import client_name, holder_in_words
from tinyproof.host.fleet.place_ports import PlacePorts, SimulatedBoard, send_firmware
from tinyproof.host.fleet.real_board import RealBoard
from tinyproof.host.fleet.state import Offer, ShelfPlan, State
from tinyproof.host.targets.emulator import Emulator
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


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, for what a board's machine keeps from one upload to the next."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


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


FLASH = """
import pathlib, sys
folder = pathlib.Path("build") / sys.argv[-1]
print(*sys.argv[1:], file=sys.stderr)
sys.exit("Error: press reset" if (folder / "manifest.json").read_text() != "{}" else 0)
"""


def test_an_upload_happens_beside_the_board_and_its_fault_comes_back(own_data: Path) -> None:
    """The command stands for `tinyproof flash`, which needs a compiler from PlatformIO's registry."""
    board = RealBoard(find_board("nano33ble"), "/dev/ttyACM7", (sys.executable, "-c", FLASH))
    ports = PlacePorts(board, "127.0.0.1")
    try:
        send_firmware(("127.0.0.1", ports.flash_port), {"manifest.json": b"{}"})
        with pytest.raises(BoardError, match="the firmware did not get there: press reset"):
            send_firmware(("127.0.0.1", ports.flash_port), {"manifest.json": b"other"})
    finally:
        ports.close()
        ports.thread.join(5)
    assert not ports.thread.is_alive()


KEPT = """
import pathlib, sys
folder, fetched = pathlib.Path("build") / sys.argv[-1], pathlib.Path("build", ".platformio", "compiler")
kept = fetched.exists(), (folder / "objects").exists(), sorted(path.name for path in folder.iterdir() if path.is_file())
fetched.touch()
(folder / "objects").mkdir(exist_ok=True)
sys.exit(f"Error: {kept}")
"""


def test_uploads_keep_what_was_fetched_and_compiled_but_no_build(own_data: Path) -> None:
    def upload(device: str, name: str) -> str:
        ports = PlacePorts(RealBoard(find_board("nano33ble"), device, (sys.executable, "-c", KEPT)), "127.0.0.1")
        try:
            with pytest.raises(BoardError) as caught:
                send_firmware(("127.0.0.1", ports.flash_port), {name: b"{}"})
        finally:
            ports.close()
            ports.thread.join(5)
        return caught.value.message.removeprefix("the firmware did not get there: ")

    assert upload("/dev/ttyACM7", "first.json") == "(False, False, ['first.json'])"
    assert upload("/dev/ttyACM7", "second.json") == "(True, True, ['second.json'])"
    assert upload("/dev/ttyACM8", "third.json") == "(True, False, ['third.json'])"


UPLOAD = """
import os, pathlib, subprocess, sys, time
log = pathlib.Path(sys.argv[1])
before = log.read_text().split() if log.exists() else []
living = [pid for pid in before if pathlib.Path("/proc", pid, "exe").exists()]
if before:
    sys.exit(f"Error: {len(before)} processes before, living: {living}")
child = subprocess.Popen(["sleep", "60"])
log.with_name("begun").write_text(f"{os.getpid()} {child.pid}")
log.with_name("begun").rename(log)
time.sleep(60)
"""


def test_an_upload_ends_with_its_lease_before_the_next_one_has_the_board(own_data: Path, tmp_path: Path) -> None:
    """Otherwise two of them write the same flash."""
    upload = (sys.executable, "-c", UPLOAD, str(tmp_path / "processes"))
    board = RealBoard(find_board("nano33ble"), "/dev/ttyACM7", upload)
    first = PlacePorts(board, "127.0.0.1")
    said: list[str] = []

    def flash(ports: PlacePorts) -> None:
        with pytest.raises(BoardError) as caught:
            send_firmware(("127.0.0.1", ports.flash_port), {"manifest.json": b"{}"})
        said.append(caught.value.message)

    client = threading.Thread(target=flash, args=(first,))
    client.start()
    while not (tmp_path / "processes").exists():
        time.sleep(0.01)
    first.close()
    second = PlacePorts(RealBoard(find_board("nano33ble"), "/dev/ttyACM7", upload), "127.0.0.1", first)
    try:
        flash(second)
    finally:
        second.close()
        client.join(5)
        second.thread.join(5)
    words = "the firmware did not get there: "
    assert said == [
        f"{words}the lease ended before the upload did",
        f"{words}2 processes before, living: []",
    ]


def test_an_emulator_that_dies_before_it_is_connected_leaves_the_place_alive(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Emulator):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.child.process.kill()
            self.child.process.wait()

    ports = PlacePorts(SimulatedBoard(find_board(BOARD)), "127.0.0.1")
    elf = project / "build" / "small" / "boards" / BOARD / "firmware.elf"
    try:
        send_firmware(("127.0.0.1", ports.flash_port), {elf.name: elf.read_bytes()})
        with monkeypatch.context() as patch:
            patch.setattr(place_ports, "Emulator", Dying)
            with socket.create_connection(("127.0.0.1", ports.serial_port), 5) as client:
                line = client.makefile("rb").readline().decode()
        assert line.startswith(f"# the emulator of board {BOARD} stopped, exit status -9: ")
        assert check(find_board(BOARD), elf.parents[2], f"socket://127.0.0.1:{ports.serial_port}", CheckConfig()).proven
    finally:
        ports.close()
        ports.thread.join(5)
    assert not ports.thread.is_alive()


def test_a_flash_port_bears_whatever_comes(project: Path) -> None:
    ports = PlacePorts(SimulatedBoard(find_board(BOARD)), "127.0.0.1")
    address = ("127.0.0.1", ports.flash_port)
    try:
        for rubbish in (b"", b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"files": {"firmware.elf": -1}}\n', b"\xff" * 5000):
            with socket.create_connection(address, 5) as client:
                client.sendall(rubbish)
                client.shutdown(socket.SHUT_WR)
                assert b"fault" in client.makefile("rb").readline()
        with pytest.raises(BoardError, match=r"takes firmware.elf, not other"):
            send_firmware(address, {"../other": b""})
        with socket.create_connection(("127.0.0.1", ports.serial_port), 5) as client:
            assert b"no firmware yet" in client.makefile("rb").readline()
        elf = project / "build" / "small" / "boards" / BOARD / "firmware.elf"
        send_firmware(address, {elf.name: elf.read_bytes()})
        assert check(find_board(BOARD), elf.parents[2], f"socket://127.0.0.1:{ports.serial_port}", CheckConfig()).proven
    finally:
        ports.close()
        ports.thread.join(5)
    assert not ports.thread.is_alive()


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
