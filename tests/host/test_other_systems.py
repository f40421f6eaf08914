# SPDX-License-Identifier: Apache-2.0
"""The path that is Python alone, on a machine made to look as Windows does: no POSIX modules, no pseudo-terminals, no
wheel of TFLite Micro, and a COM port. What stands in for Windows itself, which has not been tried."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import pytest
import serial
from support.tflite_writer import dense_network

from tinyproof.core.errors import BoardError
from tinyproof.core.model_file import build_name
from tinyproof.host.targets.emulator import listening_socket
from tinyproof.host.targets.reference_board import load_device, serve_socket
from tinyproof.host.transport.ports import PortPolicy, open_port

# Libraries that choose their own way on each system are loaded before it looks like another; they have their own tests.
SITE = """
import os, sys, types
import cattrs, click, elftools, junitparser, numpy, rich.console, rich.progress, serial, subprocess, tempfile
import serial.tools.list_ports, serial.urlhandler.protocol_socket
for name in ("termios", "tty", "pty", "fcntl", "grp", "pwd", "resource", "tflite_micro", "tensorflow", "keras"):
    sys.modules[name] = None
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=lambda fd, mode, count: None)
del os.openpty, os.fork, os.geteuid
sys.platform = "win32"
open_url = serial.serial_for_url
serial.serial_for_url = lambda name, **options: open_url(os.environ.get(name, name), **options)
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that runs there, and the processes that it starts."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    return {**os.environ, "PYTHONPATH": str(site)}


def tinyproof(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "tinyproof", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "tinyproof.toml").touch()
    (folder / "net.tflite").write_bytes(dense_network(5, (6, 9, 3)))
    return folder


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listening_socket() as made:
        yield made


def test_a_model_is_inspected_exported_and_checked_by_python_alone(
    machine: dict[str, str], project: Path, listener: socket.socket
) -> None:
    inspected = tinyproof(machine, project, "inspect", "net.tflite")
    assert inspected.returncode == 0, inspected.stderr
    exported = tinyproof(machine, project, "export", "--model", "net.tflite")
    assert exported.returncode == 0, exported.stderr
    checked = tinyproof(machine, project, "check", "--model", "net", "--board", "reference")
    assert checked.returncode == 0, checked.stderr
    assert "256 of 256 chosen inputs bit-identical to the Python reference" in " ".join(checked.stdout.split())
    device = load_device(project / "build/net")
    threading.Thread(target=serve_socket, args=(device, listener), daemon=True).start()
    machine["COM7"] = f"socket://127.0.0.1:{listener.getsockname()[1]}"
    plugged = tinyproof(machine, project, "check", "--model", "net", "--board", "nano33ble", "--port", "COM7")
    assert plugged.returncode == 0, plugged.stderr
    assert "256 of 256" in plugged.stdout
    listed = tinyproof(machine, project, "doctor")
    assert "Traceback" not in listed.stderr
    refused = tinyproof(machine, project, "simulate", "--model", "net", "--board", "reference", "--pty")
    assert refused.returncode == 2
    assert "leave out --pty" in refused.stderr


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("PermissionError(13, 'Access is denied.', None, 5)", "port COM7 is busy"),
        ("FileNotFoundError(2, 'The system cannot find the file specified.', None, 2)", "port COM7 is absent"),
    ],
)
def test_a_com_port_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, cause: str, says: str) -> None:
    """pyserial has no errno for it on Windows: the cause is in the text."""

    class Port:
        def open(self) -> None:
            raise serial.SerialException(f"could not open port 'COM7': {cause}")

    monkeypatch.setattr(serial, "serial_for_url", lambda name, **options: Port())
    with pytest.raises(BoardError, match=says):
        open_port("COM7", PortPolicy(), 1.0)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"C:\Users\Ada\models\key word.tflite", "key_word"),
        (r"D:\net.tflite", "net"),
        (r"\\server\share\größe.keras", "gr__e"),
    ],
)
def test_a_windows_path_names_its_build(path: str, name: str) -> None:
    assert build_name(PureWindowsPath(path).stem) == name
