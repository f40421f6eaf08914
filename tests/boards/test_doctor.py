# SPDX-License-Identifier: Apache-2.0
"""Each fault that the doctor knows, made in a /sys, /proc and /etc of our own, with the words that a user sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.scripted_board import ListedPort, ScriptedBoard, make_device

from tinyproof.cli import main as cli
from tinyproof.host import diagnosis
from tinyproof.host.diagnosis import Fault, Machine, examine, holders

NANO, NANO_BOOT, CH340 = (0x2341, 0x805A), (0x2341, 0x005A), (0x1A86, 0x7523)
DEFAULT = "qemu-cortex-m4"


def machine(tmp_path: Path, *ports: ListedPort, missing: tuple[str, ...] = (), may_open: bool = True) -> Machine:
    for name in ("sys", "proc", "etc"):
        (tmp_path / name).mkdir(exist_ok=True)
    return Machine(
        lambda: ports,
        tmp_path / "sys",
        tmp_path / "proc",
        tmp_path / "etc",
        lambda program: None if program in missing else f"/usr/bin/{program}",
        lambda port: may_open,
    )


def add_process(tmp_path: Path, pid: int, name: str, holds: str = "") -> None:
    folder = tmp_path / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(name + "\n")
    if holds:
        (folder / "fd" / "3").symlink_to(holds)


def add_usb_device(tmp_path: Path, vendor: str, product: str) -> None:
    folder = tmp_path / "sys" / "bus" / "usb" / "devices" / "1-1"
    folder.mkdir(parents=True)
    (folder / "idVendor").write_text(vendor + "\n")
    (folder / "idProduct").write_text(product + "\n")


def test_nothing_wrong(tmp_path: Path) -> None:
    assert examine(DEFAULT, machine(tmp_path, ListedPort("/dev/ttyACM0", *NANO, "A1"))) == []


def test_no_board_suggests_the_cable(tmp_path: Path) -> None:
    (fault,) = examine(DEFAULT, machine(tmp_path))
    assert fault == Fault(
        "no board",
        "no board is plugged in that tinyproof knows",
        "none is needed for simulated boards; if one is plugged in, its cable may carry power only: try one that "
        "carries data, and another socket",
        False,
    )


def test_permission(tmp_path: Path) -> None:
    (fault,) = examine(DEFAULT, machine(tmp_path, ListedPort("/dev/ttyACM9", *NANO), may_open=False))
    assert fault == Fault(
        "permission",
        "/dev/ttyACM9 (nano33ble) may not be opened by you",
        'sudo usermod -aG dialout $USER, then log in again (or a udev rule with TAG+="uaccess")',
        True,
    )


def test_bootloader(tmp_path: Path) -> None:
    (fault,) = examine(DEFAULT, machine(tmp_path, ListedPort("/dev/ttyACM0", *NANO_BOOT, "A1")))
    assert fault == Fault(
        "bootloader",
        "nano33ble on /dev/ttyACM0 is in its bootloader (2341:005a)",
        "press reset once; a double press enters the bootloader, or flash it: ./tinyproof flash --board nano33ble",
        True,
    )


def test_port_held_by_another_program_names_it(tmp_path: Path) -> None:
    with ScriptedBoard(make_device()) as board:
        add_process(tmp_path := tmp_path / "m", 4711, "minicom", holds=board.port)
        (fault,) = examine(DEFAULT, machine(tmp_path, ListedPort(board.port, *NANO)))
    assert fault == Fault(
        "held", f"{board.port} (nano33ble) is held by minicom (process 4711)", "close it, or: kill 4711", True
    )


def test_holder_is_found_in_the_real_proc() -> None:
    with ScriptedBoard(make_device()) as board:
        hold = (
            "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print('held', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", hold, board.port], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            comm = Path(f"/proc/{other.pid}/comm").read_text().strip()
            assert holders(board.port) == [(other.pid, comm)]
        assert holders(board.port) == []


def test_modem_manager_and_the_rule_that_silences_it(tmp_path: Path) -> None:
    here = machine(tmp_path, ListedPort("/dev/ttyACM0", *NANO))
    add_process(tmp_path, 500, "ModemManager")
    (fault,) = examine(DEFAULT, here)
    assert not fault.blocks
    assert fault.what == ("ModemManager runs and will send AT commands to /dev/ttyACM0 (nano33ble) whenever it appears")
    rule = 'ATTRS{idVendor}=="2341", ATTRS{idProduct}=="805a", ENV{ID_MM_DEVICE_IGNORE}="1"'
    assert fault.remedy.endswith(rule)
    (tmp_path / "etc" / "udev" / "rules.d").mkdir(parents=True)
    (tmp_path / "etc" / "udev" / "rules.d" / "99-tinyproof.rules").write_text(rule + "\n")
    assert examine(DEFAULT, here) == []


def test_bridge_without_a_driver(tmp_path: Path) -> None:
    here = machine(tmp_path)
    add_usb_device(tmp_path, "1a86", "7523")
    (fault,) = examine(DEFAULT, here)
    assert fault.blocks
    assert fault.what == "1a86:7523 (esp32) is on the bus and has no serial port"
    assert fault.remedy.startswith("load its driver: sudo modprobe ch341")
    add_process(tmp_path, 600, "brltty")
    (fault,) = examine(DEFAULT, here)
    assert fault.remedy.startswith("brltty takes it for a braille display: sudo apt-get remove brltty")
    port = ListedPort("/dev/ttyUSB0", *CH340)
    assert examine(DEFAULT, machine(tmp_path, port)) == []


def test_missing_tools_block_where_the_default_board_needs_them(tmp_path: Path) -> None:
    port = ListedPort("/dev/ttyACM0", *NANO)
    faults = examine(DEFAULT, machine(tmp_path, port, missing=("arm-none-eabi-gcc", "qemu-system-riscv32")))
    assert [(fault.blocks, fault.remedy) for fault in faults] == [
        (True, "sudo apt-get install gcc-arm-none-eabi"),
        (False, "sudo apt-get install qemu-system-misc"),
    ]
    assert faults[0].what.startswith("arm-none-eabi-gcc is missing, which qemu-cortex-m0, ")


@pytest.mark.parametrize(("blocks", "code"), [(True, 3), (False, 0)])
def test_verb_ends_with_3_when_something_blocks(monkeypatch: pytest.MonkeyPatch, blocks: bool, code: int) -> None:
    fault = Fault("held", "what is wrong", "what to do", blocks)
    monkeypatch.setattr(diagnosis, "examine", lambda board: [fault])
    lines = CliRunner().invoke(cli.main, ["doctor"])
    assert lines.exit_code == code
    first = "FAULT    what is wrong" if blocks else "note     what is wrong"
    assert lines.output.splitlines()[:2] == [first, "         remedy: what to do"]
    document = CliRunner().invoke(cli.main, ["doctor", "--json"])
    assert document.exit_code == code
    assert json.loads(document.output)["blocked"] is blocks


def test_real_machine_is_examined_without_an_exception() -> None:
    assert all(fault.what and fault.remedy for fault in examine(DEFAULT))
