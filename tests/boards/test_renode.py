# SPDX-License-Identifier: Apache-2.0
"""Our side of Renode: the firmware is built, the command is right, and its port is awaited. Renode itself is a stand-in
here, a program of its name that parses the same command line and answers on the port that it is given."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from support.fake_build import ID
from support.two_layers import tiny_build

from tinyproof.core.board_spec import find_board
from tinyproof.core.emulator_command import emulator_command
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.paths import FIRMWARE, ROOT
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.targets.emulator import Emulator
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of

BOARD = find_board("renode-nrf52840")

# A first line may hold no space, and Python's path may.
STAND_IN = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import re, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from tinyproof.host.targets.reference_board import serve_socket
from support.scripted_board import make_device
import socket
script = sys.argv[sys.argv.index("-e") + 1]
if "broken" in script:
    sys.exit("cannot load the platform")
port = int(re.search(r"port=([0-9]+);", script)[1])
serve_socket(make_device(board="renode-nrf52840"), socket.create_server(("127.0.0.1", port)))
"""


@pytest.fixture
def renode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "renode"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent))


def test_absent_renode_is_one_line_with_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFaultError) as caught:
        Emulator(BOARD, tmp_path / "firmware.elf")
    assert caught.value.exit_code == 3
    assert caught.value.message == (
        "renode is missing: board renode-nrf52840 runs on it; install it: from https://renode.io "
        "(Debian has no package); put `renode` on the PATH"
    )


@pytest.mark.usefixtures("renode")
def test_board_answers_on_the_port_that_it_was_told(tmp_path: Path) -> None:
    with Emulator(BOARD, tmp_path / "firmware.elf") as emulator, Link(emulator.port, policy_of(BOARD), 2.0, 3) as link:
        info = parse_info(link.request("info"))
    assert (info.board, info.model) == ("renode-nrf52840", ID)
    assert not emulator.child.running()


@pytest.mark.usefixtures("renode")
def test_renode_that_stops_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFaultError, match="stopped, exit status 1: cannot load the platform"):
        Emulator(BOARD, tmp_path / "broken.elf")


@pytest.mark.usefixtures("renode")
def test_script_uses_only_files_of_this_project(tmp_path: Path) -> None:
    command = emulator_command_of(tmp_path / "firmware.elf")
    named = [Path(name) for name in re.findall(r"@([^;]+)", " ".join(command))]
    assert named == [
        tmp_path / "firmware.elf",
        *(FIRMWARE / "renode" / f"nrf52840.{kind}" for kind in ("repl", "resc")),
    ]
    text = "".join((FIRMWARE / "renode" / f"nrf52840.{kind}").read_text() for kind in ("repl", "resc"))
    assert "http" not in text


def emulator_command_of(elf: Path) -> list[str]:
    from tinyproof.host.targets.emulator import listening_socket

    with listening_socket() as listener:
        return emulator_command(BOARD, elf, listener.fileno())


def test_firmware_fits_the_chips_memory_map(tmp_path: Path) -> None:
    from tinyproof.firmware.platformio_build import build

    result = build(BOARD, tiny_build(tmp_path))
    with result.elf.open("rb") as file:
        elf = ELFFile(file)
        text = elf.get_section_by_name(".text")
        assert text
        vectors = text.data()[:8]
        places = [(s["sh_addr"], s["sh_size"]) for s in elf.iter_sections() if s["sh_flags"] & 2 and s["sh_size"]]
    stack, reset = (int.from_bytes(vectors[i : i + 4], "little") for i in (0, 4))
    assert stack == 0x20040000
    assert reset < 0x100000
    assert reset % 2 == 1  # Thumb
    assert all(start + size <= 0x100000 or 0x20000000 <= start <= start + size <= 0x20040000 for start, size in places)
