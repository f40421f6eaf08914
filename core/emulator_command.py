# SPDX-License-Identifier: Apache-2.0
"""The command that starts a simulated board, and what is made here for it: libsimavr behind a socket, a plugin of QEMU
that counts, and the package rp2040js.

Debian's `simavr` command shows a UART's output and takes no input, so firmware/simavr/runner.c, a small program on the
same library, serves instead.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.native_program import ensure_compiled
from tinyproof.core.node_package import ensure_rp2040js
from tinyproof.core.paths import BUILD, FIRMWARE

SIMAVR_SOURCE = FIRMWARE / "simavr" / "runner.c"
SIMAVR = BUILD / "tools" / "simavr"
COUNTER_SOURCE = FIRMWARE / "qemu" / "instruction_counts.c"
COUNTER = BUILD / "tools" / "instruction_counts.so"
FIRST_WITH_PLUGINS = 5  # QEMU's release
NEXT_PLUGIN_API = 9  # from here on it takes no plugin of the interface's version 1


def opens_port_itself(board: Board) -> bool:
    """Whether the emulator cannot inherit a listening socket: it is told a free port's number instead."""
    return board.emulator is not None and any("{port}" in word for word in board.emulator.command)


def emulator_command(board: Board, elf: Path, fd: int) -> list[str]:
    """The board's emulator with its arguments; `fd` is a listening socket that it inherits.

    Raises UsageError when the board names none, EnvironmentFaultError naming the package when it is not installed.
    """
    if board.emulator is None or not board.emulator.command:
        raise UsageError(f"board {board.name} names no emulator command in firmware/boards/{board.name}.toml")
    first, *arguments = board.emulator.command
    package = board.emulator.package or first
    program = str(ensure_simavr(board.name, package)) if first == "{simavr}" else shutil.which(first)
    if program is None:
        remedy = board.emulator.install or f"sudo apt-get install {package}"
        raise EnvironmentFaultError(f"{first} is missing: board {board.name} runs on it; install it: {remedy}")
    values = {"elf": str(elf), "fd": str(fd), "firmware": str(FIRMWARE)}
    if any("{rp2040js}" in word for word in arguments):
        values["rp2040js"] = str(ensure_rp2040js(board.name, package))
    if opens_port_itself(board):
        with socket.socket(fileno=os.dup(fd)) as listener:
            values["port"] = str(listener.getsockname()[1])
    return [program, *(_fill(word, values) for word in arguments)]


def ensure_simavr(board: str, package: str, target: Path = SIMAVR) -> Path:
    """The simavr runner, compiled anew where it is older than its source."""
    purpose = f"board {board} runs on libsimavr"
    return ensure_compiled(SIMAVR_SOURCE, target, ["-lsimavr"], purpose=purpose, package=package)


def ensure_counter(emulator: str, target: Path = COUNTER) -> Path:
    """The plugin that counts executed instructions, for the QEMU that is called `emulator`.

    Raises EnvironmentFaultError where that is missing or older than plugins are.
    """
    try:
        said = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise EnvironmentFaultError(f"{emulator} cannot be started: {error}") from error
    version = re.search(r"version (\d+)", said)
    if version is None or int(version[1]) < FIRST_WITH_PLUGINS:
        raise EnvironmentFaultError(f"{emulator} has no plugins: cycles need QEMU {FIRST_WITH_PLUGINS} or newer")
    api = 1 if int(version[1]) < NEXT_PLUGIN_API else 2
    options = ["-fPIC", "-shared", "-fvisibility=hidden", f"-DQEMU_PLUGIN_API={api}"]
    named = target.with_name(f"{target.stem}-{api}{target.suffix}")
    purpose = "cycles are counted by a plugin of QEMU"
    return ensure_compiled(COUNTER_SOURCE, named, options, purpose=purpose, package="gcc")


def _fill(word: str, values: dict[str, str]) -> str:
    """Only {elf}, {fd}, {port}, {firmware} and {rp2040js} are ours; other braces belong to the emulator."""
    for key, value in values.items():
        word = word.replace(f"{{{key}}}", value)
    return word
