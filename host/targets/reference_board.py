# SPDX-License-Identifier: Apache-2.0
"""Board `reference`: the golden reference behind the serial protocol, in a process of its own.

`python -m tinyproof.host.targets.reference_board BUILD_DIR --pty FD` answers on a pty's master side,
`--listen` on a socket of its own, one client after the other. It says "ready" on stdout when it can answer, with the
number of its port where it listens.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.targets.child_process import BoardProcess, Child
from tinyproof.host.targets.emulator import listening_socket

READY_S = 60.0  # loading the interpreter from a cold disk
HAS_PTYS = hasattr(os, "openpty")  # Windows has none


class ReferenceBoard(BoardProcess):
    """The running process; `port` is a pty's path, or a socket:// URL."""

    def __init__(self, build_dir: Path, *, pty: bool = HAS_PTYS) -> None:
        """Raises EnvironmentFaultError when the process ends, or is not ready in READY_S."""
        self._kept: int | None = None
        # -P: nothing in the user's folder is imported in place of ours.
        command = [sys.executable, "-P", "-m", "tinyproof.host.targets.reference_board", str(build_dir.resolve())]
        self.port = ""
        if pty:
            import tty

            master, self._kept = os.openpty()
            try:
                tty.setraw(self._kept)  # no echo, no translation; kept open, so that clients may come and go
                self.port = os.ttyname(self._kept)
                self.child = Child([*command, "--pty", str(master)], (master,), stdout=subprocess.PIPE)
            finally:
                os.close(master)
        else:
            self.child = Child([*command, "--listen"], stdout=subprocess.PIPE)
        try:
            self._await_ready()
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> None:
        pipe = self.child.process.stdout
        assert pipe is not None
        line = _line_within(pipe, READY_S)
        if line is None:
            raise EnvironmentFaultError(f"the reference device is not ready after {READY_S:.0f} s; try again")
        ready, _, number = line.decode("ascii", "replace").strip().partition(" ")
        if ready != "ready":
            self.child.ended_within(5.0)
            raise EnvironmentFaultError(self.obituary(self.child.epitaph()))
        self.port = self.port or f"socket://127.0.0.1:{number}"

    def obituary(self, how: str) -> str:
        """What the user is told when the process has stopped."""
        return f"the reference device stopped, {how}"

    def close(self) -> None:
        """Stops the process, and closes our end of the pty."""
        super().close()
        if self._kept is not None:
            os.close(self._kept)
            self._kept = None


def _line_within(pipe: IO[bytes], seconds: float) -> bytes | None:
    """The next line, None where there is none yet. A thread waits for it: not every system can ask a pipe."""
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda: lines.append(pipe.readline()), daemon=True)
    reader.start()
    reader.join(seconds)
    return lines[0] if lines else None


def serve_pty(device: Device, master: int) -> None:
    """Answers on the master side of a pty until its last slave closes."""
    try:
        while content := os.read(master, 4096):
            _write_all(master, device.feed(content))
    except OSError:  # EIO: no slave is open any more
        return


def serve_socket(device: Device, listener: socket.socket) -> None:
    """Answers one client after the other, until the listener is closed. The device keeps its state between them, as a
    board would."""
    banner = device.banner()
    while listener.fileno() >= 0:
        try:
            client, _ = listener.accept()
        except OSError:
            if listener.fileno() < 0:  # closed since
                return
            raise
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                client.sendall(banner)
                banner = b""  # the board starts once
                while content := client.recv(4096):
                    client.sendall(device.feed(content))
            except OSError:  # the client went away
                continue


def _write_all(fd: int, content: bytes) -> None:
    while content:
        content = content[os.write(fd, content) :]


def load_device(build_dir: Path) -> Device:
    """The device of a build, with the golden reference as its engine."""
    from tinyproof.core.reference.golden import Reference  # brings in numpy

    manifest = read_manifest(build_dir)
    reference = Reference((build_dir / "model.tflite").read_bytes())
    inputs, outputs = TensorLayout(tuple(manifest.inputs)), TensorLayout(tuple(manifest.outputs))
    state_bytes = manifest.memory.state_bytes if manifest.memory else 0
    return Device(manifest.model_id, inputs, outputs, reference.run, reference.reset, state_bytes)


def main() -> None:
    """The process itself: serves the model of a build on a pty or a socket that it inherits."""
    parser = argparse.ArgumentParser(prog="tinyproof.host.targets.reference_board", description=__doc__)
    parser.add_argument("build_dir", type=Path)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", type=int, metavar="FD")
    where.add_argument("--listen", action="store_true")
    arguments = parser.parse_args()
    device = load_device(arguments.build_dir)
    if arguments.pty is not None:
        print("ready", flush=True)
        _write_all(arguments.pty, device.banner())
        serve_pty(device, arguments.pty)
    else:
        with listening_socket() as listener:
            print(f"ready {listener.getsockname()[1]}", flush=True)
            serve_socket(device, listener)


if __name__ == "__main__":
    main()
