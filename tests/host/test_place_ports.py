# SPDX-License-Identifier: Apache-2.0
"""The two ports of a leased place, and what stands behind them: uploads, and an emulator that dies."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.running_fleet import BOARD
from support.shared_builds import tiny_firmware

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError
from tinyproof.host.check import check
from tinyproof.host.fleet import place_ports
from tinyproof.host.fleet.place_ports import PlacePorts, SimulatedBoard, send_firmware
from tinyproof.host.fleet.real_board import RealBoard
from tinyproof.host.targets.emulator import Emulator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a fleet is offered from POSIX systems")


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firmware in its build folder."""
    folder = shutil.copytree(tiny_firmware(tmp_path_factory), tmp_path_factory.mktemp("build") / "small")
    return folder / "boards" / BOARD / "firmware.elf"


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, for what a board's machine keeps from one upload to the next."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


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
    elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Emulator):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.child.process.kill()
            self.child.process.wait()

    ports = PlacePorts(SimulatedBoard(find_board(BOARD)), "127.0.0.1")
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


def test_a_flash_port_bears_whatever_comes(elf: Path) -> None:
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
            send_firmware(address, {elf.name: elf.read_bytes()})
        assert check(find_board(BOARD), elf.parents[2], f"socket://127.0.0.1:{ports.serial_port}", CheckConfig()).proven
    finally:
        ports.close()
        ports.thread.join(5)
    assert not ports.thread.is_alive()
