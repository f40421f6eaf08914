# SPDX-License-Identifier: Apache-2.0
"""Emulators end with us, however we end, and say what they died of."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.fake_build import ID, QUICK

from tinyproof.core.board_spec import Board, EmulatorSpec
from tinyproof.core.build_record import BuildRecord, RamUse
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.manifest import Artefact, read_manifest
from tinyproof.core.paths import ROOT
from tinyproof.host.check import check
from tinyproof.host.targets.child_process import Child
from tinyproof.host.targets.emulator import Emulator

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def emulated(*command: str, package: str = "") -> Board:
    emulator = EmulatorSpec(command, package)
    return Board("fake", "an emulator made of Python", "simulated", "none", "insn", emulator=emulator)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_soon(pid: int) -> bool:
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)


def test_a_child_is_reaped_after_an_exception() -> None:
    child = Child(SLEEP)

    def fail_while_it_runs() -> None:
        with child:
            assert child.running()
            raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        fail_while_it_runs()
    assert child.process.returncode == -signal.SIGTERM
    assert not Path(f"/proc/{child.pid}").exists()


def test_a_child_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyproof.host.targets.child_process.STOP_S", 0.2)
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with Child([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.process.stdout is not None
        child.process.stdout.readline()
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_dies_with_its_parent(number: signal.Signals) -> None:
    program = (
        "import sys, time\nfrom tinyproof.host.targets.child_process import Child\n"
        f"with Child({SLEEP!r}) as child:\n print(child.pid, flush=True)\n time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, number)
        parent.wait(10)
    assert gone_soon(pid)


def test_a_missing_emulator_names_its_package(tmp_path: Path) -> None:
    board = emulated("no-such-emulator", "{elf}", package="emulators-extra")
    with pytest.raises(EnvironmentFaultError) as raised:
        Emulator(board, tmp_path / "firmware.elf")
    assert "no-such-emulator is missing" in raised.value.message
    assert "apt-get install emulators-extra" in raised.value.message


def test_a_board_without_an_emulator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Emulator(emulated(), tmp_path / "firmware.elf")


def firmware_of(build_dir: Path) -> Path:
    """An image as a build leaves it, with its record."""
    folder = build_dir / "boards" / "fake"
    folder.mkdir(parents=True)
    (folder / "firmware.elf").write_bytes(b"an image")
    digest = hashlib.sha256(b"an image").hexdigest()
    sources = {"model_compiled.c": "0" * 64}
    BuildRecord(
        *("fake", "compiled", ID, 1, 1, 1, 1, {}, RamUse(0, 0, 0, 0, 0, 0), None, ""),
        elf_sha256=digest,
        sources=sources,
    ).write(folder)
    return folder


def test_firmware_that_the_last_build_did_not_make_is_refused(build_dir: Path) -> None:
    board = emulated(sys.executable, "-c", "import sys; sys.exit('started')")
    folder = firmware_of(build_dir)

    def refusal() -> str:
        with pytest.raises((UsageError, EnvironmentFaultError)) as raised:
            check(board, build_dir, None, QUICK)
        return raised.value.message

    assert "started" in refusal()
    manifest = read_manifest(build_dir)
    manifest.artefacts["model_compiled.c"] = Artefact("1" * 64, 1)
    manifest.write(build_dir)
    assert "was built from another model_compiled.c than the export's" in refusal()
    (folder / "firmware.elf").write_bytes(b"another one")
    assert "is not the file that was built" in refusal()
    (folder / "build.json").unlink()
    assert "the last build failed; run ./tinyproof build --board fake" in refusal()


def test_an_emulator_that_dies_early_says_why(build_dir: Path) -> None:
    board = emulated(sys.executable, "-c", "import sys; sys.exit('cannot map the flash of {elf}')")
    firmware_of(build_dir)
    start = time.monotonic()
    with pytest.raises(EnvironmentFaultError) as raised:
        check(board, build_dir, None, QUICK)
    assert time.monotonic() - start < 5
    assert raised.value.exit_code == 3
    assert "exit status 1: cannot map the flash of" in raised.value.message
    assert "firmware.elf" in raised.value.message


def test_an_emulator_that_dies_midway_says_why(build_dir: Path) -> None:
    program = (
        "import socket, sys\nlistener = socket.socket(fileno={fd})\nclient, _ = listener.accept()\n"
        "client.recv(10)\nclient.close()\nsys.exit('illegal instruction')"
    )
    board = emulated(sys.executable, "-c", program)
    firmware_of(build_dir)
    with pytest.raises(EnvironmentFaultError) as raised:
        check(board, build_dir, None, QUICK)
    assert "illegal instruction" in raised.value.message


def test_firmware_that_is_not_built_is_named(build_dir: Path) -> None:
    with pytest.raises(UsageError) as raised:
        check(emulated("qemu-system-arm"), build_dir, None, QUICK)
    assert raised.value.message.startswith(f"{build_dir}/boards/fake/firmware.elf is missing")
    assert "./tinyproof build --board fake" in raised.value.message
