# SPDX-License-Identifier: Apache-2.0
"""End to end: trained models on the simulated Cortex-M4F and on the reference device, and `simulate` for others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError
from tinyproof.core.paths import ROOT
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.targets.emulator import Emulator, firmware_elf
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import PortPolicy

QEMU = find_board("qemu-cortex-m4")
MODELS = ("neuron", "sine", "wide")
PATIENT = CheckConfig(timeout_s=5.0)  # the machine that runs the tests may be busy with others
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def builds(lesson_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The lesson's models built for QEMU, by name."""
    root = tmp_path_factory.mktemp("build")
    folders = {name: Path(shutil.copytree(lesson_models[name], root / name)) for name in MODELS}
    for folder in folders.values():
        build(QEMU, folder)
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-cortex-m4", "reference"])
@pytest.mark.parametrize("model", MODELS)
def test_every_bit_of_every_model_holds(builds: dict[str, Path], model: str, board: str) -> None:
    report = check(find_board(board), builds[model], None, PATIENT)
    assert report.mismatch() == ""
    assert report.proven
    assert (report.vectors, report.bits.checked, report.bits.different) == ("exhaustive", 256, 0)
    assert (report.board, report.bits.resets) == (board, 0)
    if model == "neuron":
        assert len(report.answers) >= 7
        assert report.tolerance is not None
        assert [answer.expected for answer in report.answers if answer.x == [10.0]] == [[19.0]]
    if board == QEMU.name:
        assert report.engine == "compiled"
        assert report.bits.tick_unit == "insn"
        assert 0 < report.bits.ticks_min <= report.bits.ticks_max


def test_instruction_counts_are_the_same_in_every_run(builds: dict[str, Path]) -> None:
    first, second = (check(QEMU, builds["sine"], None, PATIENT) for _ in range(2))
    assert (first.bits.ticks_min, first.bits.ticks_max) == (second.bits.ticks_min, second.bits.ticks_max)


def test_a_board_with_another_model_is_refused(builds: dict[str, Path]) -> None:
    with (
        Emulator(QEMU, firmware_elf(QEMU, builds["sine"])) as emulator,
        pytest.raises(BoardError, match=r"runs model [0-9a-f]{16}, this build is [0-9a-f]{16}"),
    ):
        check(QEMU, builds["neuron"], emulator.port, PATIENT)


def test_an_idle_emulator_needs_no_cpu(builds: dict[str, Path]) -> None:
    with Emulator(QEMU, firmware_elf(QEMU, builds["neuron"])) as emulator:
        with Link(emulator.port, PortPolicy(), 5.0, 1) as link:
            link.request("q 1")
            before = cpu_ticks(emulator.child.pid)
            time.sleep(1.0)
            assert (cpu_ticks(emulator.child.pid) - before) / TICKS_PER_S < 0.2
        pid = emulator.child.pid
    assert not Path(f"/proc/{pid}").exists()


def cpu_ticks(pid: int) -> int:
    """User and system time of a process, in clock ticks: fields 14 and 15 of proc(5)'s stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def simulating(build_dir: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `tinyproof simulate`, and the port that it printed first."""
    program = (
        "import sys\nfrom pathlib import Path\nimport tinyproof.core.paths\nfrom tinyproof.cli.main import main\n"
        "tinyproof.core.paths.BUILD = Path(sys.argv.pop(1))\nmain()\n"
    )
    command = [sys.executable, "-c", program, str(build_dir.parent), "simulate", "--model", build_dir.name, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone_soon(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("arguments", "prefix"),
    [
        ((), "socket://127.0.0.1:"),
        (("--pty",), "/dev/pts/"),
        (("--board", "reference"), "socket://127.0.0.1:"),
        (("--board", "reference", "--pty"), "/dev/pts/"),
    ],
    ids=["qemu", "qemu-pty", "reference", "reference-pty"],
)
def test_simulate_serves_one_client_after_the_other_and_ends_cleanly(
    builds: dict[str, Path], arguments: tuple[str, ...], prefix: str, number: signal.Signals
) -> None:
    with simulating(builds["neuron"], *arguments) as (process, port):
        assert port.startswith(prefix), process.stderr.read() if process.stderr else ""
        for _ in range(3):
            with Link(port, PortPolicy(), 5.0, 2) as link:
                assert parse_info(link.request("info")).in_bytes == 1
        board = find_board("reference") if "reference" in arguments else QEMU
        assert check(board, builds["neuron"], port, PATIENT).proven
        emulators = children(process.pid)
        assert len(emulators) == 1
        process.send_signal(number)
        assert process.wait(10) == 0
        assert not Path(f"/proc/{emulators[0]}").exists()


def test_the_emulator_dies_with_a_killed_simulate(builds: dict[str, Path]) -> None:
    with simulating(builds["neuron"]) as (process, port):
        assert port.startswith("socket://")
        (emulator,) = children(process.pid)
        process.kill()
        process.wait(10)
        assert gone_soon(emulator)


def test_simulate_says_when_its_emulator_ends(builds: dict[str, Path]) -> None:
    with simulating(builds["neuron"]) as (process, port):
        assert port.startswith("socket://")
        os.kill(children(process.pid)[0], signal.SIGKILL)
        assert process.wait(10) == 3
        assert process.stderr is not None
        assert "the emulator of board qemu-cortex-m4 stopped" in process.stderr.read()
