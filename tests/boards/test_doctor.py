# SPDX-License-Identifier: Apache-2.0
"""Each fault that the doctor knows, made in a /sys, /proc and /etc of our own, with the words that a user sees."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.scripted_board import ListedPort, ScriptedBoard, make_device

from tinyproof.cli import main as cli
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.system_packages import System
from tinyproof.host import diagnosis
from tinyproof.host.diagnosis import Fault, Machine, examine, holders, missing_packages
from tinyproof.host.system_install import install

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
        lambda port: may_open,
        System(lambda program: None if program in missing else f"/usr/bin/{program}", lambda path: True, finds),
    )


def finds(compiler: str, flags: tuple[str, ...], file: str) -> bool:
    return True


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


def test_a_machine_without_tensorflow_is_told_what_needs_it(tmp_path: Path) -> None:
    here = dataclasses.replace(
        machine(tmp_path, ListedPort("/dev/ttyACM0", *NANO, "A1")), has_module=lambda name: name != "keras"
    )
    (fault,) = examine(DEFAULT, here)
    assert not fault.blocks
    assert 'pip install "tinyproof[train]"' in fault.remedy


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
        (True, "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"),
        (False, "sudo apt-get install qemu-system-misc"),
    ]
    assert faults[0].what.startswith("arm-none-eabi-gcc is missing, which qemu-cortex-m0, ")


def test_what_prove_alone_needs_blocks_no_board(tmp_path: Path) -> None:
    (fault,) = examine(DEFAULT, machine(tmp_path, ListedPort("/dev/ttyACM0", *NANO, "A1"), missing=("frama-c",)))
    assert (fault.what, fault.blocks) == ("frama-c is missing, which ./tinyproof prove needs", False)
    assert fault.remedy == "sudo apt-get install frama-c-base"


def lacking(program: str = "", file: str = "", path: str = "") -> System:
    return System(
        lambda name: None if name == program else f"/usr/bin/{name}",
        lambda tried: str(tried) != path,
        lambda compiler, flags, tried: tried != file,
    )


@pytest.mark.parametrize(
    ("system", "packages"),
    [
        (lacking(), []),
        (lacking("avr-gcc"), ["arduino-core-avr", "avr-libc", "gcc-avr"]),
        (lacking(file="nano.specs"), ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]),
        (lacking(path="/usr/include/simavr/sim_avr.h"), ["gcc", "libsimavr-dev"]),
        (lacking("qemu-system-arm"), ["qemu-system-arm"]),
        (lacking("renode"), []),  # Debian has none
    ],
)
def test_packages_of_what_is_missing(system: System, packages: list[str]) -> None:
    assert missing_packages(system) == packages


def test_this_machine_has_what_the_launcher_installed() -> None:
    assert missing_packages() == []


def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {int(name == 'sudo')}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_install_runs_apt_get_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(tmp_path, monkeypatch, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    ran: list[str] = []
    said: list[str] = []

    def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command))
        return subprocess.CompletedProcess(command, 100 * ("gcc-x" in command), "E: no such package gcc-x\n", "")

    install(["gcc-avr", "avr-libc"], said.append, run)
    assert ran == said
    assert ran[0] == "apt-get update -qq"
    assert ran[1].endswith("apt-get install -y -qq --no-install-recommends gcc-avr avr-libc")
    with pytest.raises(EnvironmentFaultError, match="failed: E: no such package gcc-x"):
        install(["gcc-x"], said.append, run)


def test_apt_gets_own_last_words_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "apt-get"
    script.write_text('#!/bin/sh\necho "reading" && echo "E: no lock" >&2 && exit 100\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EnvironmentFaultError, match="apt-get update -qq failed: E: no lock"):
        install(["gcc-x"], lambda words: None)


def test_install_says_what_to_run_where_it_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    apt(tmp_path, monkeypatch)
    with pytest.raises(EnvironmentFaultError, match="no apt-get; these are Debian's names of what is missing: gcc-avr"):
        install(["gcc-avr"], print)
    for tools in (["apt-get"], ["apt-get", "sudo"]):
        apt(tmp_path, monkeypatch, *tools)
        with pytest.raises(EnvironmentFaultError, match="run: apt-get update && apt-get install gcc-avr"):
            install(["gcc-avr"], print)


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
