# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi Pico on rp2040js: how it starts, where its emulator comes from, and its answers."""

from __future__ import annotations

import shutil
import stat
import zlib
from pathlib import Path

import pytest
from support.shared_builds import gestures_build

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.emulator_command import emulator_command
from tinyproof.core.errors import EXIT_ENVIRONMENT, EnvironmentFaultError
from tinyproof.core.node_package import FILES, SOURCE, ensure_rp2040js, rp2040js_folder
from tinyproof.core.system_packages import Missing, System, missing_to_run
from tinyproof.firmware.images import read_parts
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.targets.emulator import Emulator

PICO = find_board("sim-pico")
BOOT2_BYTES = 256


@pytest.fixture(scope="module")
def elf(lesson_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pico") / "neuron"
    shutil.copytree(lesson_models["neuron"], folder)
    return build(PICO, folder).elf


def mpeg_crc32(content: bytes) -> int:
    """The ROM's checksum through zlib's, which takes each byte's bits in the other order and inverts the result."""
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in content)
    return int(f"{zlib.crc32(mirrored) ^ 0xFFFFFFFF:032b}"[::-1], 2)


def test_the_second_stage_has_the_checksum_that_the_rom_asks_for(elf: Path) -> None:
    (part, *_), _ = read_parts(elf)
    assert part.address == 0x10000000
    stage2 = part.content[:BOOT2_BYTES]
    assert int.from_bytes(stage2[-4:], "little") == mpeg_crc32(stage2[:-4])
    stack, reset = (int.from_bytes(part.content[at : at + 4], "little") for at in (BOOT2_BYTES, BOOT2_BYTES + 4))
    assert stack == 0x20042000
    assert reset % 2 == 1
    assert 0x10000100 < reset < 0x10000000 + len(part.content)


def test_a_second_stage_with_another_checksum_is_not_started(elf: Path, tmp_path: Path) -> None:
    content = bytearray(elf.read_bytes())
    (part, *_), _ = read_parts(elf)
    content[content.index(part.content[:BOOT2_BYTES]) + 100] ^= 1
    broken = tmp_path / "firmware.elf"
    broken.write_bytes(content)
    with Emulator(PICO, broken) as emulator:
        assert emulator.child.ended_within(20)
        fault = emulator.fault()
    assert fault is not None
    assert "the second stage has a wrong checksum" in fault.message


def test_the_emulator_is_installed_by_its_lock_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ensure_rp2040js("sim-pico", "nodejs npm", tmp_path)
    assert (folder / "dist/esm/index.js").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [folder.parent.parent.name], "nothing half done is left"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ensure_rp2040js("sim-pico", "nodejs npm", tmp_path) == folder


def test_where_npm_is_missing_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFaultError, match="sudo apt-get install nodejs npm") as raised:
        ensure_rp2040js("sim-pico", "nodejs npm", tmp_path / "tools")
    assert raised.value.exit_code == EXIT_ENVIRONMENT
    with pytest.raises(EnvironmentFaultError, match=r"node is missing: board sim-pico.*apt-get install nodejs npm"):
        emulator_command(PICO, tmp_path / "firmware.elf", 3)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("EBADENGINE", "install node 18 or newer"), ("EINTEGRITY", "nothing of it was kept"), ("ENOTFOUND", "reachable")],
)
def test_what_npm_fails_of_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, remedy: str) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\necho 'npm error code {code}' >&2\necho 'npm error more' >&2\nexit 1\n")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(npm.parent))
    with pytest.raises(EnvironmentFaultError) as raised:
        ensure_rp2040js("sim-pico", "nodejs npm", tmp_path / "tools")
    assert f"({code})" in raised.value.message
    assert remedy in raised.value.message
    assert "\n" not in raised.value.message
    assert list((tmp_path / "tools").iterdir()) == []


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert "://" not in "".join((SOURCE / name).read_text(encoding="utf-8") for name in FILES)


def test_doctor_asks_for_npm_only_until_the_package_is_there() -> None:
    for there, missing in ((False, [Missing("npm", "nodejs npm")]), (True, [])):
        system = System(
            lambda program: None if program == "npm" else f"/usr/bin/{program}",
            lambda path, there=there: there and path == rp2040js_folder(),  # type: ignore[misc]
        )
        assert missing_to_run(PICO, system) == missing
    without = System(lambda program: None, lambda path: True)
    assert missing_to_run(PICO, without) == [Missing("node", "nodejs npm")]


@pytest.mark.nightly
def test_a_classifier_and_its_times_are_the_same_each_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The neuron and a wide model are in test_matrix.py; a classifier on every board, at night."""
    folder = gestures_build(tmp_path_factory)
    build(PICO, folder)
    first, second = (check(PICO, folder, None, CheckConfig(timeout_s=30.0)) for _ in range(2))
    assert first.proven
    assert (first.bits.checked, first.bits.different) == (256, 0)
    assert first.bits.ticks_max > first.bits.ticks_min > 10_000
    assert (first.bits.ticks_min, first.bits.ticks_max) == (second.bits.ticks_min, second.bits.ticks_max)
