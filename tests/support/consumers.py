# SPDX-License-Identifier: Apache-2.0
"""Those who take an exported library: compilers, build systems, and simulated boards that say what it prints."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.board_spec import find_board
from tinyproof.core.paths import FIRMWARE
from tinyproof.export.libraries.library import ExportedLibrary, Wish, export_library
from tinyproof.firmware.platformio_core import ensure_core
from tinyproof.host.targets.emulator import Emulator

TOOLS = Path(sys.executable).parent  # cmake, ctest, ninja, compote: from PyPI


def exported(build: Path, folder: Path, kind: str = "c", **wish: object) -> ExportedLibrary:
    """The model of `build` as a library in `folder`."""
    return export_library(build, folder, Wish(kind, **wish))  # type: ignore[arg-type]


def run(command: Sequence[object], where: Path | None = None, **environment: str) -> str:
    """What a command prints. Raises AssertionError with its words where it fails."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=where,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def printed(board: str, elf: Path, lines: int, seconds: float = 30.0) -> list[str]:
    """The first lines that firmware prints on a simulated board's UART."""
    with Emulator(find_board(board), elf) as emulator:
        # Not by pyserial, which throws away what came before it was ready.
        host, _, port = emulator.port.removeprefix("socket://").partition(":")
        with socket.create_connection((host, int(port)), timeout=seconds) as line, line.makefile("rb") as stream:
            return [stream.readline().decode("ascii", "replace").rstrip() for _ in range(lines)]


def arduino_uno(libraries: Path, sketch: Path, build: Path) -> Path:
    """The ELF of a sketch for the Uno, by Arduino's own builder and Debian's core, with the libraries in a folder."""
    build.mkdir()
    (build.parent / "no_tools").mkdir(exist_ok=True)
    hardware = ["-hardware", "/usr/share/arduino-builder", "-hardware", "/usr/share/arduino/hardware"]
    # avr-libc's DECIMAL_DIG needs a macro that gcc 5 does not have.
    options = ["-prefs=compiler.cpp.extra_flags=-DDECIMAL_DIG=__DECIMAL_DIG__", "-fqbn", "arduino:avr:uno"]
    run(
        [
            *("arduino-builder", "-compile", *hardware, "-tools", build.parent / "no_tools"),
            *("-libraries", libraries, *options, "-build-path", build, sketch),
        ]
    )
    return build / f"{sketch.name}.elf"


def platformio(project: Path, *words: object) -> str:
    """`pio WORDS` in somebody's project, offline."""
    core = project.parent / "core"
    ensure_core(core)
    command = [sys.executable, "-P", "-m", "platformio", *words]
    return run(command, project, PLATFORMIO_CORE_DIR=str(core), PLATFORMIO_SETTING_ENABLE_TELEMETRY="No")


def uno_project(project: Path, library: Path) -> Path:
    """A PlatformIO project for the simulated Uno that depends on an exported library, and runs its example."""
    source = project / "src"
    source.mkdir(parents=True)
    (source / "main.cpp").write_text((library / "examples" / "selftest" / "main.cpp").read_text())
    (project / "platformio.ini").write_text(
        f"[env:sim-uno]\nplatform = symlink://{FIRMWARE}/platform\nboard = simulated\n"
        f"build_src_filter = +<*>\nlib_deps = symlink://{library}\n"
    )
    return project
