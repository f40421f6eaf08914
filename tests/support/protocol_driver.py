# SPDX-License-Identifier: Apache-2.0
"""The firmware's protocol as a program of this machine (tests/firmware/driver.c), and as a device to ask by lines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from support.sanitizers import SANITIZERS, STRICT
from support.shared_builds import made_once
from tinyproof.core.paths import FIRMWARE, ROOT

SOURCE = ROOT / "tests" / "firmware" / "driver.c"
PROTOCOL = tuple(sorted((FIRMWARE / "lib" / "protocol").glob("*.c")))


def compile_driver(
    factory: pytest.TempPathFactory,
    name: str = "protocol_driver",
    sources: Sequence[Path] = PROTOCOL,
    defines: Mapping[str, str | int] = MappingProxyType({}),
) -> Path:
    """The program, with warnings as errors and sanitizers on; compiled once for the whole run. `sources`: what speaks
    at its port, under `name`, with `defines`."""
    includes = [f"-I{FIRMWARE / 'lib' / layer}" for layer in ("protocol", "engine")]
    words = [f"-D{key}={json.dumps(value)}" for key, value in defines.items()]

    def make(folder: Path) -> None:
        command = ["gcc", "-O1", "-g", *STRICT, *SANITIZERS, *includes, *words, *map(str, (*sources, SOURCE))]
        subprocess.run([*command, "-o", str(folder / "driver")], check=True)

    return made_once(factory, name, make) / "driver"


def driver_answers(content: bytes, out_bytes: int) -> bytes:
    """What the program's engine answers: its input over and over, and each output's place added."""
    return bytes((content[i % len(content)] + i) & 0xFF for i in range(out_bytes))


class DriverDevice:
    """The program in the place of a device model. A context manager; a sanitizer's report fails the test at its end."""

    def __init__(self, program: Path, in_bytes: int, out_bytes: int, mode: str = "protocol") -> None:
        self._command = [str(program), mode, str(in_bytes), str(out_bytes)]
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._banner = self._read()

    def _stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> DriverDevice:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def reset(self) -> None:
        self._stop()
        self._start()

    def banner(self) -> bytes:
        return self._banner

    def answer(self, line: bytes) -> bytes:
        """Replies to the line, or to the lines that it has become on its way."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        return b"".join(self._read() for part in line.split(b"\n") if part.replace(b"\r", b""))
