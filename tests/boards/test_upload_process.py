# SPDX-License-Identifier: Apache-2.0
"""The program that writes a flash, as a process: it has the port for itself, and never outlives `tinyproof flash`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.fake_build import ID
from support.scripted_board import ScriptedBoard, make_device

from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import EXIT_INTERRUPTED, BoardError
from tinyproof.firmware.uploader import run_uploader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
ESP32 = find_board("esp32")
BEGINS_S = 30.0  # on a busy machine
# `tinyproof flash` but for the build, with a command for esptool that writes its process's number down, and sleeps.
FLASH = """
import sys
from pathlib import Path
from types import SimpleNamespace
from tinyproof.cli.main import main
from tinyproof.firmware import platformio_build, upload
from tinyproof.firmware.uploader import run_uploader

port, number = sys.argv[1:]
command = ["sh", "-c", 'echo $$ > "$0.begun"; mv "$0.begun" "$0"; exec sleep 60', number]
platformio_build.build = lambda board, folder: SimpleNamespace(model_id="")
upload.upload_of = lambda board, folder, **_: lambda port: run_uploader(board, command, port, Path(number + ".log"))
main(["flash", "--board", "esp32", "--port", port, "--no-lint"])
"""


def runs(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, and a child that ends with its parent")
@pytest.mark.parametrize(
    ("number", "status", "says"), [(signal.SIGINT, EXIT_INTERRUPTED, "stopped\n"), (signal.SIGKILL, -9, "")]
)
def test_an_upload_has_its_port_alone_and_ends_with_us(
    number: signal.Signals, status: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "tinyproof.toml").touch()  # builds are there, not in the clone
    written, log = tmp_path / "uploader", tmp_path / "upload.log"
    with ScriptedBoard(make_device(ID, board="esp32")) as board:
        command = [sys.executable, "-P", "-c", FLASH, board.port, str(written)]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as flash:
            deadline = time.monotonic() + BEGINS_S
            while not written.exists() and flash.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            uploader = int(written.read_text())
            link = tmp_path / "link"
            link.symlink_to(board.port)
            with pytest.raises(BoardError) as caught:
                run_uploader(ESP32, ["true"], str(link), log)
            assert caught.value.message == (
                f"another upload to esp32 on {link} is under way; flash again when it has ended"
            )
            assert runs(uploader)
            os.kill(flash.pid, number)
            assert flash.communicate(timeout=BEGINS_S)[1] == says
            assert flash.returncode == status
        deadline = time.monotonic() + BEGINS_S
        while runs(uploader) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not runs(uploader)
        run_uploader(ESP32, ["true"], board.port, log)


def test_an_upload_notices_that_a_port_of_a_relative_name_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinyproof.firmware.uploader.GONE_S", 0.2)
    port = tmp_path / "ttyUSB0"
    port.touch()
    with pytest.raises(BoardError, match=r"^esp32 went away from ttyUSB0 in the middle"):
        run_uploader(ESP32, ["sh", "-c", "rm ttyUSB0; exec sleep 60"], port.name, tmp_path / "log", timeout_s=30)
