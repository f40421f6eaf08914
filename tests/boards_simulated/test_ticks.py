# SPDX-License-Identifier: Apache-2.0
"""hal_elapsed is exact on every simulated board: instructions on QEMU, cycles on simavr and rp2040js."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tinyproof.core.board_spec import Board
from tinyproof.core.paths import FIRMWARE
from tinyproof.firmware.boot import booted
from tinyproof.matrix import simulated_boards

HERE = Path(__file__).parent
NOPS = [0, 1, 2, 3, 7, 100]
# nops, and turns of a count and a branch, which is taken but for the last: as instructions, and as the core's cycles
LOOPS = {"insn": [20_000, 20_000], "avr5 cycle": [80_001], "armv6-m cycle": [20_000, 29_999]}
BOARDS = simulated_boards()


def compile_all(board: Board, sources: Sequence[Path], folder: Path, *options: str) -> list[str]:
    """Objects of `sources`, each in its own language."""
    build = board.build
    defines = {"HAL_BOARD": '"ticks"', "HAL_TICK_UNIT": f'"{board.tick_unit}"', **build.defines}
    flags = [*build.flags, "-Os", "-ffunction-sections", "-fdata-sections", f"-I{FIRMWARE / 'lib/hal'}", *options]
    flags += [f"-D{name}={value}{'UL' if isinstance(value, int) else ''}" for name, value in defines.items()]
    objects = []
    for source in sources:
        plus = source.suffix == ".cpp"
        standard = "-std=gnu++11" if plus else f"-std={build.c_standard}"
        objects.append(str(folder / f"{source.stem}.o"))
        compiler = f"{build.toolchain}{'g++' if plus else 'gcc'}"
        subprocess.run([compiler, *flags, standard, "-c", str(source), "-o", objects[-1]], check=True)
    return objects


def link(board: Board, folder: Path) -> Path:
    """The board's own HAL and start-up code around regions.c."""
    build = board.build
    elf = folder / "ticks.elf"
    hal = [FIRMWARE / "lib/hal" / name for name in build.hal]
    command = [f"{build.toolchain}gcc", *build.flags, "-o", str(elf), "-Wl,--gc-sections"]
    if build.core:
        core = Path(build.core) / "cores/arduino"
        includes = [f"-I{core}", f"-I{Path(build.core) / 'variants' / build.variant}"]
        own = compile_all(board, [HERE / "regions.c", HERE / "regions_sketch.cpp", *hal], folder, *includes)
        (folder / "core").mkdir()
        sources = [path for path in sorted(core.iterdir()) if path.suffix in (".c", ".cpp")]
        theirs = compile_all(board, sources, folder / "core", *includes, "-w", "-DDECIMAL_DIG=__DECIMAL_DIG__")
        command += [*own, *theirs]
    else:
        assert board.memory is not None
        layout = ",".join(f"--defsym={name}={value}" for name, value in board.memory.symbols().items())
        command += compile_all(board, [HERE / "regions.c", HERE / "regions_main.c", *hal], folder, "-Wall", "-Werror")
        command += ["-nostartfiles", *build.link_flags]
        command += [f"-Wl,{layout}", f"-T{FIRMWARE / 'ld' / build.linker_script}"]
    subprocess.run(command, check=True)
    return elf


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_regions_of_known_length_read_exactly_that(board: Board, tmp_path: Path) -> None:
    with booted(board, link(board, tmp_path)) as stream:
        counts = [int(line) for line in iter(stream.readline, b"end\n")]
    unit = "insn" if board.tick_unit == "insn" else f"{board.isa} {board.tick_unit}"
    assert counts == [*NOPS, *LOOPS[unit]] * 8
