# SPDX-License-Identifier: Apache-2.0
"""A bootloader that shows itself as a drive; a folder stands in for it, and a scripted board starts behind it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tty
from pathlib import Path

import pytest
from support.fake_build import ID
from support.scripted_board import ListedPort, ScriptedBoard, make_device

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import EXIT_ENVIRONMENT, BoardError
from tinyproof.firmware.images import as_uf2, read_parts
from tinyproof.firmware.platformio_build import build
from tinyproof.firmware.uf2_drive import copy_to_drive, find_drive, mounted
from tinyproof.host.targets.flash import choose_port, flash
from tinyproof.host.transport.usb import Plugged, list_plugged

PICO = find_board("pico")
CDC = (0x2E8A, 0x00C0)
INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
QUICK = CheckConfig(timeout_s=0.3, retries=2)


def drive_at(folder: Path, board_id: str = "RPI-RP2") -> Path:
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(INFO.replace("RPI-RP2", board_id), newline="")
    return folder


def test_the_drive_is_known_by_what_it_says_of_itself(tmp_path: Path) -> None:
    other, ours = drive_at(tmp_path / "other", "SAMD21G18A-v0"), drive_at(tmp_path / "RPI RP2")
    table = tmp_path / "mounts"
    table.write_text(
        f"/dev/sda1 {other} vfat rw 0 0\n/dev/sdb1 {str(ours).replace(' ', chr(92) + '040')} vfat rw 0 0\n"
    )
    assert find_drive(PICO, lambda: mounted(table, tmp_path / "none")) == ours
    assert find_drive(PICO, lambda: [other, tmp_path / "gone"]) is None


def test_a_model_is_copied_and_the_board_that_starts_is_heard(tmp_path: Path, lesson_models: dict[str, Path]) -> None:
    """The image is that of sim-pico, since nothing here compiles for the Pico's Arduino core: of the same chip."""
    folder = tmp_path / "neuron"
    shutil.copytree(lesson_models["neuron"], folder)
    elf = build(find_board("sim-pico"), folder).elf
    parts, _ = read_parts(elf)
    uf2, drive = as_uf2(parts, PICO.build.uf2_family), drive_at(tmp_path / "drive")
    assert elf.with_suffix(".uf2").read_bytes() == uf2
    with ScriptedBoard(make_device(board="pico")) as board:
        ports: list[ListedPort] = []

        def upload(port: str) -> None:
            assert port == ""
            copy_to_drive(PICO, uf2, port, lambda: [drive])
            ports.append(ListedPort(board.port, *CDC, "E1"))

        def lister() -> list[Plugged]:
            return list_plugged(lambda: ports)

        flashed = flash(PICO, ID, choose_port(PICO, None, lister()), upload, QUICK, lister)
    assert (flashed.port, flashed.info.model) == (board.port, ID)
    written = (drive / "firmware.uf2").read_bytes()
    blocks = [written[start : start + 512] for start in range(0, len(written), 512)]
    flash_content = b"".join(block[32 : 32 + 256] for block in blocks)
    assert [int.from_bytes(block[12:16], "little") for block in blocks] == [
        0x10000000 + 256 * number for number in range(len(blocks))
    ]
    for part in parts:
        start = part.address - 0x10000000
        assert flash_content[start : start + len(part.content)] == part.content


def test_a_touched_port_brings_the_drive_up(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    looks = 0

    def drives() -> list[Path]:
        nonlocal looks
        looks += 1
        if looks == 3:
            drive_at(tmp_path / "drive")
        return [tmp_path / "drive"]

    try:
        assert copy_to_drive(PICO, b"image", os.ttyname(slave), drives) == tmp_path / "drive" / "firmware.uf2"
    finally:
        os.close(master)
        os.close(slave)
    assert looks == 3


def test_without_a_drive_it_says_which_button(tmp_path: Path) -> None:
    with pytest.raises(BoardError) as caught:
        copy_to_drive(PICO, b"image", "", lambda: [tmp_path])
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert caught.value.message == (
        "no drive of pico is mounted (its INFO_UF2.TXT says RPI-RP2); unplug it, hold BOOTSEL down and plug it in "
        "again, mount the drive if your system does not, then flash again"
    )
    copy_to_drive(PICO, b"image", "", lambda: [drive_at(tmp_path / "drive")])
    assert (tmp_path / "drive" / "firmware.uf2").read_bytes() == b"image", "a second attempt works"


def test_a_drive_that_takes_no_file_and_a_board_that_does_not_start(tmp_path: Path) -> None:
    drive = drive_at(tmp_path / "drive")
    (drive / "firmware.uf2").mkdir()
    with pytest.raises(BoardError, match=r"cannot be written \(Is a directory\); unplug it, hold BOOTSEL down"):
        copy_to_drive(PICO, b"image", "", lambda: [drive])
    quick = dataclasses.replace(PICO, serial=dataclasses.replace(PICO.serial, returns_s=0.2))
    with pytest.raises(BoardError) as caught:
        flash(quick, ID, "", lambda port: None, QUICK, list)
    assert caught.value.message.startswith("pico has not started in 0.2 s after the copy; unplug it, hold BOOTSEL down")
