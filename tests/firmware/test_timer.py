# SPDX-License-Identifier: Apache-2.0
"""hal_elapsed counts instructions exactly: regions of known length, at every phase of the timer's tick."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from firmware.booting import booted
from pipeline.boards import Board, all_boards
from pipeline.project import FIRMWARE

COUNTS = [0, 1, 2, 3, 7, 100, 20_001]
BOARDS = [
    board
    for board in all_boards().values()
    if board.kind == "simulated" and board.isa == "armv7e-m" and not board.hidden
]


def link(board: Board, elf: Path) -> None:
    """The board's HAL, start-up code and linker script around timer_main.c."""
    build = board.build
    defines = {"HAL_BOARD": '"timer"', "HAL_TICK_UNIT": f'"{board.tick_unit}"', **build["defines"]}
    layout = ",".join(f"--defsym=__{name}={value}" for name, value in board.memory.items())
    command = [f"{build['toolchain']}gcc", *build["flags"], "-std=c99", "-Os", "-Wall", "-Wextra", "-Werror"]
    command += [f"-D{name}={value}{'UL' if isinstance(value, int) else ''}" for name, value in defines.items()]
    command += [f"-I{FIRMWARE / 'lib/hal'}", str(Path(__file__).with_name("timer_main.c"))]
    command += [str(FIRMWARE / "lib/hal" / name) for name in build["hal"] if name.endswith(".c")]
    command += ["-nostartfiles", "--specs=nano.specs", f"-Wl,{layout}", f"-T{FIRMWARE / 'ld' / build['linker_script']}"]
    subprocess.run([*command, "-o", str(elf)], check=True)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_regions_of_known_length_read_exactly_that(board: Board, tmp_path: Path) -> None:
    elf = tmp_path / "timer.elf"
    link(board, elf)
    with booted(board, elf) as stream:
        counts = [int(line) for line in iter(stream.readline, b"end\n")]
    assert counts == COUNTS * 8
