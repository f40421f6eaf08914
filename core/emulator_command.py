# SPDX-License-Identifier: Apache-2.0
"""The command that starts a simulated board, and the one emulator that is built here: libsimavr behind a socket.

Debian's `simavr` command shows a UART's output and takes no input, so firmware/simavr/runner.c, a small program on the
same library, serves instead; it is compiled where it is first needed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.paths import BUILD, FIRMWARE

SIMAVR_SOURCE = FIRMWARE / "simavr" / "runner.c"
SIMAVR = BUILD / "tools" / "simavr"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


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
    if opens_port_itself(board):
        with socket.socket(fileno=os.dup(fd)) as listener:
            values["port"] = str(listener.getsockname()[1])
    return [program, *(_fill(word, values) for word in arguments)]


def ensure_simavr(board: str, package: str, target: Path = SIMAVR) -> Path:
    """The simavr runner, compiled anew where it is older than its source."""
    if target.is_file() and target.stat().st_mtime >= SIMAVR_SOURCE.stat().st_mtime:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=target.parent)  # renamed when whole: two checks may start together
    os.close(descriptor)
    command = ["gcc", *FLAGS, str(SIMAVR_SOURCE), "-o", partial, "-lsimavr"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line or "cannot find" in line]
            raise EnvironmentFaultError(
                f"board {board} runs on libsimavr, whose runner cannot be compiled: "
                f"{lines[0] if lines else done.stderr.strip()[-200:]}; install it: sudo apt-get install {package}"
            )
        Path(partial).chmod(0o755)
        Path(partial).replace(target)
    except FileNotFoundError:
        raise EnvironmentFaultError(
            f"gcc is missing: board {board} runs on libsimavr; install them: sudo apt-get install {package}"
        ) from None
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _fill(word: str, values: dict[str, str]) -> str:
    """Only {elf}, {fd}, {port} and {firmware} are ours; other braces belong to the emulator."""
    for key, value in values.items():
        word = word.replace(f"{{{key}}}", value)
    return word
