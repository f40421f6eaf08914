# SPDX-License-Identifier: Apache-2.0
"""A board is one file: what PlatformIO and the README say of boards follows from boards/*.toml."""

from __future__ import annotations

import configparser
import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from tinyproof.core.board_spec import BOARDS as BOARDS_FOLDER
from tinyproof.core.board_spec import Board, all_boards, find_board
from tinyproof.core.paths import FIRMWARE, ROOT
from tinyproof.firmware.environments import SIMULATED_INI, ensure_environments, section_of, simulated_environments

BOARDS = list(all_boards().values())


def test_the_environments_kept_in_the_repository_are_those_of_the_boards() -> None:
    assert SIMULATED_INI.read_text(encoding="utf-8") == simulated_environments(BOARDS), (
        "firmware/simulated.ini is older than firmware/boards/; any ./tinyproof build writes it anew: commit it"
    )


def test_platformio_knows_every_board_that_has_a_firmware() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read([FIRMWARE / "platformio.ini", SIMULATED_INI])
    assert config["platformio"]["extra_configs"] == SIMULATED_INI.name
    environments = {section for section in config.sections() if section.startswith("env:")}
    assert environments == {f"env:{board.name}" for board in BOARDS if board.kind != "host"}
    for section in environments:
        for base in config[section]["extends"].split(", "):
            assert base in config.sections()


def test_a_further_board_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "simulated.ini"
    ensure_environments(path)
    assert path.read_text() == SIMULATED_INI.read_text()
    stamp = path.stat().st_mtime_ns
    ensure_environments(path)
    assert path.stat().st_mtime_ns == stamp
    further = dataclasses.replace(find_board("sim-uno"), name="new")
    monkeypatch.setattr("tinyproof.firmware.environments.all_boards", lambda: {**all_boards(), "new": further})
    ensure_environments(path)
    assert path.read_text() == SIMULATED_INI.read_text() + "\n[env:new]\nextends = simulated_arduino\n"


def test_engine_and_language_choose_the_sources() -> None:
    sections = {board.name: section_of(board) for board in BOARDS if board.kind == "simulated"}
    assert {name for name, section in sections.items() if section != "simulated"} == {"sim-uno", "qemu-cortex-m4_tflm"}
    assert sections["sim-uno"] == "simulated_arduino"
    assert sections["qemu-cortex-m4_tflm"] == "simulated_tflm"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_files_that_a_board_names_exist(board: Board) -> None:
    build = board.build
    named = [FIRMWARE / "lib" / "hal" / file for file in build.hal]
    named += [FIRMWARE / "lib" / "engine" / folder / "kernels" for folder in build.kernels]
    named += [FIRMWARE / "ld" / build.linker_script] if build.linker_script else []
    assert [path for path in named if not path.exists()] == []


def test_the_readme_lists_the_boards_that_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| Board | What it is |")
    listed = [
        name for row in table.partition("\n\n")[0].splitlines() for name in re.findall(r"`(.+?)`", row.split("|")[1])
    ]
    assert sorted(listed) == sorted(board.name for board in BOARDS)


PAGE = (ROOT / "docs" / "adding-a-board.md").read_text(encoding="utf-8")


def explained(head: str) -> set[str]:
    """Names in the first column of the page's table with this head."""
    _, _, rows = PAGE.partition(f"\n| {head} |")
    return {
        name for row in rows.split("\n\n")[0].splitlines()[2:] for name in re.findall(r"`(.+?)`", row.split("|")[1])
    }


@pytest.mark.parametrize("name", ["", "build", "build.defines", "memory", "emulator", "serial"])
def test_the_page_explains_every_key_of_the_boards_files(name: str) -> None:
    used: set[str] = set()
    for path in BOARDS_FOLDER.glob("*.toml"):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for part in filter(None, name.split(".")):
            table = table.get(part, {})
        used |= {key for key, value in table.items() if not isinstance(value, dict)}
    head = f"Key of `[{name}]` | Meaning" if name else "Key | Meaning"
    assert explained(head) == used | ({"defines"} if name == "build" else set())


def test_the_page_explains_every_function_of_the_hal() -> None:
    header = (FIRMWARE / "lib/hal/hal.h").read_text(encoding="utf-8")
    assert explained("Function | What it does") == set(re.findall(r"(hal_\w+)\(", header))
