# SPDX-License-Identifier: Apache-2.0
"""Boots a simulated board once and asks it which model it runs: what `upload` means where there is no flash."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tinyproof.core.board_spec import Board
from tinyproof.core.emulator_command import emulator_command
from tinyproof.core.errors import BoardError

TIMEOUT_S = 10.0


def confirm(board: Board, elf: Path, model_id: str) -> str:
    """One line for the user once `info` names `model_id`.

    Raises EnvironmentFaultError when the emulator is missing, BoardError when the firmware is silent or runs another
    model.
    """
    reply = ask(board, elf, b"info\n")
    if f"model={model_id}" not in reply.split():
        raise BoardError(f"{board.name} runs another model than {model_id}: {reply!r}")
    return f"{board.name} runs model {model_id}; next: ./tinyproof simulate --board {board.name}"


def ask(board: Board, elf: Path, request: bytes) -> str:
    """Boot `elf`, send one request and return its reply, a line that does not start with #."""
    with booted(board, elf) as stream:
        stream.write(request)
        stream.flush()
        for line in stream:
            if not line.startswith(b"#"):
                return line.decode("ascii", "replace").rstrip("\r\n")
    assert board.emulator is not None  # it has just run
    raise BoardError(f"{board.name}: {board.emulator.command[0]} ended before the firmware answered")


@contextlib.contextmanager
def booted(board: Board, elf: Path) -> Iterator[BinaryIO]:
    """The UART of a simulated board that runs `elf`, as a stream of bytes; the emulator is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = emulator_command(board, elf, server.fileno())
        emulator = subprocess.Popen(
            command,
            pass_fds=[server.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        with (
            socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as link,
            cast(BinaryIO, link.makefile("rwb")) as stream,
        ):
            yield stream
    except TimeoutError:
        raise BoardError(f"{board.name}: no answer within {TIMEOUT_S:.0f} s after booting {elf.name}") from None
    except OSError as error:
        raise BoardError(f"{board.name}: {command[0]} did not keep its serial port open: {error}") from error
    finally:
        emulator.kill()
        emulator.wait()
