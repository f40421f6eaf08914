# SPDX-License-Identifier: Apache-2.0
"""Uploads by the real esptool and the real bossac, to loaders that answer as real boards' do; and all that goes wrong
there, each with the line that a user sees, and a second attempt that works."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from esp32_mock_bootloader import protocol
from support.esp_board import APP_OFFSET, EspBoard, Flash
from support.fake_build import ID
from support.samba_board import SambaBoard
from support.shared_builds import tiny_firmware
from support.standin_platform import use_standins

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import EXIT_ENVIRONMENT, BoardError, EnvironmentFaultError
from tinyproof.core.manifest import read_manifest
from tinyproof.firmware import upload, uploader
from tinyproof.firmware.images import as_bin, read_parts
from tinyproof.firmware.upload import upload_command
from tinyproof.firmware.uploader import PORT, run_uploader
from tinyproof.host.targets.flash import Flashed, choose_port, flash
from tinyproof.host.targets.loader import in_loader
from tinyproof.host.transport.usb import Plugged, list_plugged

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
ESP32, NANO = find_board("esp32"), find_board("nano33ble")
QUICK = CheckConfig(timeout_s=0.5, retries=3)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder with a firmware for a Cortex-M4; only to be read."""
    return tiny_firmware(tmp_path_factory)


def firmware_of(folder: Path, name: str = "qemu-cortex-m4") -> bytes:
    """What the ELF loads, from its first address on."""
    image = as_bin(read_parts(folder / "boards" / name / "firmware.elf")[0])
    assert image is not None
    return image


def refused(action: Callable[[], object]) -> str:
    """The one line that is said."""
    with pytest.raises(BoardError) as caught:
        action()
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert "\n" not in caught.value.message
    return caught.value.message


class Esptool:
    """esptool as PlatformIO's platform calls it, but for one attempt to connect instead of seven."""

    def __init__(self, folder: Path, content: bytes, *options: str, board: Board = ESP32) -> None:
        self.board, self.image, self.log = board, folder / "firmware.bin", folder / "upload.log"
        self.image.write_bytes(content)
        self.command = [
            *(sys.executable, "-P", "-m", "esptool", "--chip", board.name, "--port", PORT, "--baud", "460800"),
            *("--connect-attempts", "1", "--before", "default_reset", "--after", "hard_reset", *options),
            *("write_flash", "-z", "--flash_mode", "dio", "--flash_freq", "40m", "--flash_size", "detect"),
            *(hex(APP_OFFSET), str(self.image)),
        ]

    def __call__(self, port: str) -> None:
        run_uploader(self.board, self.command, port, self.log)

    def arrived(self, flash: Flash) -> bool:
        content = self.image.read_bytes()
        return bytes(flash.data[APP_OFFSET : APP_OFFSET + len(content)]) == content


@pytest.fixture
def esptool(small: Path, tmp_path: Path) -> Esptool:
    return Esptool(tmp_path, firmware_of(small))


@pytest.mark.parametrize("loader", ["stub", pytest.param("rom", marks=pytest.mark.nightly)])
def test_esptool_syncs_writes_verifies_and_the_firmware_is_heard(small: Path, tmp_path: Path, loader: str) -> None:
    esptool = Esptool(tmp_path, firmware_of(small), *(["--no-stub"] if loader == "rom" else []))
    identity = read_manifest(small).model_id
    with EspBoard(pty=True) as board:
        flashed = flash(ESP32, identity, board.port, in_loader(ESP32, esptool), QUICK, list)
    assert (flashed.port, flashed.info.model) == (board.port, identity)
    assert esptool.arrived(board.flash)
    assert board.boots == {"loader": 1, "firmware": 1}
    assert not esptool.log.exists()


def test_an_esp32_whose_loader_does_not_answer(esptool: Esptool) -> None:
    with EspBoard(pty=True, dead=True) as board:
        assert refused(lambda: esptool(board.port)) == (
            f"esp32 on {board.port} does not answer esptool; hold its BOOT button down until writing has begun, and "
            "flash again"
        )
        assert "Failed to connect" in esptool.log.read_text()
        board.dead = False
        board.start(loader=True)  # with BOOT held
        esptool(board.port)
    assert esptool.arrived(board.flash)


def test_another_chip_than_the_boards(esptool: Esptool) -> None:
    with EspBoard("esp32c3", pty=True) as board:
        assert refused(lambda: esptool(board.port)) == (
            f"the chip on {board.port} is an ESP32-C3, and esp32 has an ESP32; name its board with --board, or another "
            "port"
        )
        board.start(loader=True)
        right = Esptool(esptool.image.parent, esptool.image.read_bytes(), board=find_board("esp32c3"))
        right(board.port)
    assert right.arrived(board.flash)


def test_a_flash_that_is_too_small(esptool: Esptool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOCK_FLASH_ID", 0x00124020)  # 256 KB, by the JEDEC id's last byte
    large = Esptool(tmp_path, bytes(200 << 10))
    with EspBoard(pty=True) as board:
        assert refused(lambda: large(board.port)) == (
            f"the board on {board.port} has 262144 bytes of flash, into which the firmware of esp32 does not fit; "
            "take a smaller model, or a board with a larger flash"
        )
        board.start(loader=True)
        smaller = Esptool(tmp_path, bytes(100 << 10))
        smaller(board.port)
    assert smaller.arrived(board.flash)


def test_a_flash_that_does_not_keep_what_is_written(esptool: Esptool) -> None:
    with EspBoard(flash=Flash(worn=APP_OFFSET + 1000), pty=True) as board:
        assert refused(lambda: esptool(board.port)) == (
            "esp32 has something else in its flash than was written to it; plug it into another socket, with a shorter "
            "cable, and flash again; where that stays so, its flash is worn out"
        )
        board.start(loader=True)
        esptool(board.port)
    assert esptool.arrived(board.flash)


def test_an_esp32_unplugged_in_the_middle(esptool: Esptool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploader, "GONE_S", 0.5)
    with EspBoard(pty=True) as board:
        board.flash.after = (1, board.unplug)
        assert refused(lambda: esptool(board.port)) == (
            f"esp32 went away from {board.port} in the middle of the upload; plug it in again, with another cable, and "
            "flash again"
        )
    assert board.flash.written > 0
    with EspBoard(flash=board.flash, pty=True) as again:
        esptool(again.port)
    assert esptool.arrived(again.flash)


def test_a_port_that_is_not_there(esptool: Esptool) -> None:
    assert refused(lambda: esptool("/dev/ttyUSB77")) == (
        "port /dev/ttyUSB77 cannot be opened; close what holds it (a serial monitor), or plug esp32 in, and flash again"
    )


class Bossac:
    """bossac as PlatformIO's platform calls it, and all of `tinyproof flash` around it, for a board on `bus`."""

    def __init__(self, folder: Path, small: Path, *options: str) -> None:
        self.image, self.log = folder / "firmware.bin", folder / "upload.log"
        self.content, self.identity = firmware_of(small), read_manifest(small).model_id
        self.image.write_bytes(self.content)
        program = shutil.which("bossac")
        assert program is not None, "bossac is missing; apt-get install bossa-cli"
        self.command = [program, "--port", PORT, "--write", "--erase", "-U", "--reset", *options, str(self.image)]

    def __call__(self, bus: SambaBoard, port: str | None = None) -> Flashed:
        def plugged() -> list[Plugged]:
            return list_plugged(lambda: bus.ports)

        def run(port: str) -> None:
            run_uploader(NANO, self.command, port, self.log)

        impatient = dataclasses.replace(NANO, serial=dataclasses.replace(NANO.serial, returns_s=1.0))
        chosen = choose_port(NANO, port, plugged())
        return flash(impatient, self.identity, chosen, in_loader(impatient, run, plugged), QUICK, plugged)

    def arrived(self, board: SambaBoard) -> bool:
        return bytes(board.flash[: len(self.content)]) == self.content


@pytest.fixture
def bossac(small: Path, tmp_path: Path) -> Bossac:
    return Bossac(tmp_path, small)


def test_flash_touches_a_nano_and_finds_it_under_its_other_names(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command. PlatformIO is real, its platform a stand-in; nothing here compiles for mbed's Arduino core."""
    shutil.copytree(small, tmp_path / "build" / "small", ignore=shutil.ignore_patterns("boards"))
    built = small / "boards" / "qemu-cortex-m4" / "pio" / "qemu-cortex-m4" / "firmware.elf"
    use_standins(monkeypatch, tmp_path / "core", built)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    with SambaBoard(old=ID) as board:
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: board.ports)
        first = board.port
        done = CliRunner().invoke(main, ["flash", "--board", "nano33ble", "--model", "small"])
        identity = read_manifest(small).model_id
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        assert done.stdout.splitlines()[0] == (
            f"flash    nano33ble on {board.port} runs model {identity}, engine compiled"
        )
        assert board.names[0] == first
        assert len(set(board.names[:2])) == 2
    content = firmware_of(small)
    assert bytes(board.flash[: len(content)]) == content


def test_a_nano_by_a_link_to_its_port(bossac: Bossac, tmp_path: Path) -> None:
    """As those of /dev/serial/by-id, which leads nowhere while another name is the board's."""
    with SambaBoard(old=ID) as board:
        link = tmp_path / "usb-Arduino_Nano_33_BLE"
        link.symlink_to(board.port)
        flashed = bossac(board, str(link))
        assert (flashed.port, flashed.info.model) == (board.port, bossac.identity)
    assert bossac.arrived(board)


def test_a_nano_without_a_bootloader_until_reset_is_pressed_twice(bossac: Bossac) -> None:
    with SambaBoard(old=ID, touched=False) as board:
        assert refused(lambda: bossac(board)) == (
            f"nano33ble on {board.port} has not started its bootloader in 1 s; press reset twice, quickly, so that the "
            "LED pulses, then flash again"
        )
        board.restart(loader=True)
        assert bossac(board).info.model == bossac.identity
    assert bossac.arrived(board)


def test_a_locked_flash_that_says_so(bossac: Bossac) -> None:
    with SambaBoard(old=ID, locked=True, extended=False) as board:
        line = refused(lambda: bossac(board))
        assert line == (
            f"nano33ble refuses to have its flash written, which is locked; bossac --port {board.port} --unlock lets "
            "go of it, then press reset twice, quickly, so that the LED pulses and flash again"
        )
        board.locked, board.extended = False, True
        board.restart(loader=True)
        bossac(board)
    assert bossac.arrived(board)


def test_a_locked_flash_of_which_the_loader_says_nothing(bossac: Bossac) -> None:
    with SambaBoard(old=ID, locked=True) as board:
        assert refused(lambda: bossac(board)) == (
            f"the upload went through, but nano33ble on {board.port} still runs model {ID}, not {bossac.identity}; "
            "press reset and run ./tinyproof flash again; where it still does, its flash is locked"
        )
        board.locked = False
        bossac(board)
    assert bossac.arrived(board)


def test_a_nano_unplugged_in_the_middle(bossac: Bossac, monkeypatch: pytest.MonkeyPatch) -> None:
    """bossac itself reads on for ever."""
    monkeypatch.setattr(uploader, "GONE_S", 0.3)
    with SambaBoard(old=ID) as board:
        board.after = (4000, board.unplug)
        line = refused(lambda: bossac(board))
        assert line == (
            f"nano33ble went away from {board.names[-1]} in the middle of the upload; plug it in again, with another "
            "cable, and flash again"
        )
        assert not bossac.arrived(board)
        board.restart(loader=True)  # it has no whole firmware
        bossac(board)
    assert bossac.arrived(board)


def test_what_bossac_finds_otherwise_than_written(small: Path, tmp_path: Path) -> None:
    bossac = Bossac(tmp_path, small, "--verify")
    with SambaBoard(old=ID, worn=1000) as board:
        assert refused(lambda: bossac(board)).startswith("nano33ble has something else in its flash than was written")
        board.worn = None
        bossac(board)
    assert bossac.arrived(board)


def test_a_chip_that_bossac_does_not_know(bossac: Bossac) -> None:
    with SambaBoard(old=ID, knows_chip=False) as board:
        assert refused(lambda: bossac(board)) == (
            f"bossac does not know the chip on {board.port}; is that nano33ble? Of a Nano 33 BLE only Arduino's bossac "
            "knows it, which PlatformIO fetches, not Debian's"
        )


def test_an_uploader_that_is_missing_or_says_what_nobody_knows(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(program: str) -> Callable[..., None]:
        def run_platformio(*_: object, note_upload: Path, **__: object) -> None:
            note_upload.write_text(json.dumps([program, "--port", PORT]))

        return run_platformio

    monkeypatch.setattr(upload, "run_platformio", names("bossac"))
    with pytest.raises(EnvironmentFaultError) as caught:
        upload_command(NANO, small, tmp_path)
    assert caught.value.message == (
        "bossac is missing (bossac); PlatformIO fetches it with the board's platform: connect this machine to the "
        "internet and flash again"
    )
    monkeypatch.setattr(upload, "run_platformio", names(sys.executable))
    assert upload_command(NANO, small, tmp_path) == [sys.executable, "--port", PORT]
    strange = [sys.executable, "-c", "print('first'); print('all is lost'); raise SystemExit(7)"]
    log = tmp_path / "upload.log"
    assert refused(lambda: run_uploader(NANO, strange, "/dev/ttyACM0", log)) == (
        f"nano33ble on /dev/ttyACM0: bossac failed: all is lost (all of it: {log})"
    )
    assert log.read_text() == "first\nall is lost\n"
    asleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert refused(lambda: run_uploader(NANO, asleep, os.devnull, log, timeout_s=0.2)).startswith(
        "the upload to nano33ble on /dev/null does not come to an end; press reset twice"
    )
