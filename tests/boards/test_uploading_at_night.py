# SPDX-License-Identifier: Apache-2.0
"""`tinyproof flash` of an ESP32 and an ESP32-C3 from the command on, over rfc2217, where DTR and RTS reset the board:
pyserial takes a quarter of a second there for each command of the loader's."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.esp_board import APP_OFFSET, EspBoard
from support.standin_platform import use_standins, write_standins
from support.two_layers import tiny_build

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.manifest import read_manifest
from tinyproof.firmware.images import read_parts
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.fleet.place_ports import PlacePorts, send_firmware
from tinyproof.host.fleet.real_board import RealBoard
from tinyproof.host.targets.reference_board import load_device

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings(r"ignore:set\w+\(\) is deprecated:DeprecationWarning")]
# A chip, and the simulated board of the same instruction set: of the chip itself nothing here can compile.
CHIPS = [("esp32", "qemu-xtensa"), ("esp32c3", "qemu-riscv32")]
MAGIC, HEADER_BYTES, SEGMENT_BYTES = 0xE9, 24, 8


def segments(image: bytes) -> list[tuple[int, bytes]]:
    """(address, content) of each, of an image as Espressif's loaders read it ("Firmware Image Format")."""
    assert image[0] == MAGIC
    found, start = [], HEADER_BYTES
    for _ in range(image[1]):
        address, count = (int.from_bytes(image[start + at : start + at + 4], "little") for at in (0, 4))
        start += SEGMENT_BYTES
        found.append((address, image[start : start + count]))
        start += count
    return found


@pytest.mark.parametrize(("chip", "simulated"), CHIPS)
def test_flash_resets_uploads_verifies_resets_and_hears_the_model(
    chip: str, simulated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(find_board(simulated), tiny_build(tmp_path))
    produced = built.elf.parent / "pio" / simulated / "firmware.elf"
    use_standins(monkeypatch, tmp_path / "core", produced, chip)
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    identity = read_manifest(tmp_path / "tiny").model_id
    with EspBoard(chip) as board:
        assert board.flash.model_id() == ""
        done = CliRunner().invoke(main, ["flash", "--board", chip, "--port", board.port, "--model", "tiny"])
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        line = f"flash    {chip} on {board.port} runs model {identity}, engine compiled"
        assert done.stdout.splitlines()[0] == line
        assert board.boots == {"loader": 1, "firmware": 2}  # the second time with something to run
    written = segments(bytes(board.flash.data[APP_OFFSET:]))
    parts, _ = read_parts(built.elf)
    assert [address for address, _ in written] == [part.address for part in parts]
    for (_, content), part in zip(written, parts, strict=True):
        assert content.ljust(len(part.content), b"\0")[: len(part.content)] == part.content
        assert not any(content[len(part.content) :])


def test_an_esp32_that_cannot_be_reset_into_its_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """esptool's own seven attempts."""
    built = build(find_board("qemu-xtensa"), tiny_build(tmp_path))
    use_standins(monkeypatch, tmp_path / "core", built.elf.parent / "pio" / "qemu-xtensa" / "firmware.elf")
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    with EspBoard(dead=True) as board:
        done = CliRunner().invoke(main, ["flash", "--board", "esp32", "--port", board.port, "--model", "tiny"])
        assert done.exit_code == 3
        assert done.stderr == (
            f"Error: esp32 on {board.port} does not answer esptool; hold its BOOT button down until writing has begun, "
            "and flash again\n"
        )
        board.dead = False
        again = CliRunner().invoke(main, ["flash", "--board", "esp32", "--port", board.port, "--model", "tiny"])
        assert again.exit_code == 0, again.output


def test_a_board_of_a_fleet_is_flashed_beside_it_and_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place's two ports, `tinyproof flash` behind them, and a board that computes what the golden reference does."""
    built = build(find_board("qemu-xtensa"), tiny_build(tmp_path))
    folder = built.elf.parents[2]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("STANDIN_IMAGE", str(built.elf.parent / "pio" / "qemu-xtensa" / "firmware.elf"))
    write_standins(tmp_path / "data" / "tinyproof" / "platformio")
    board = find_board("esp32")
    with EspBoard(pty=True, runs=lambda _: load_device(folder)) as chip:
        ports = PlacePorts(RealBoard(board, chip.port), "127.0.0.1")
        try:
            files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
            send_firmware(("127.0.0.1", ports.flash_port), files)
            report = check(board, folder, f"rfc2217://127.0.0.1:{ports.serial_port}", CheckConfig())
        finally:
            ports.close()
            ports.thread.join(5)
        assert (report.bits.checked, report.bits.different, report.proven) == (256, 0, True)
        assert chip.boots == {"loader": 1, "firmware": 1}
        assert chip.flash.model_id() == built.model_id
