# SPDX-License-Identifier: Apache-2.0
"""clang-format and clang-tidy over firmware/: each file as a board compiles it, with that board's flags and headers.

Run as a module by `tinyproof test`. The kernels' headers are read as files of their own: their functions are static.
What clang-tidy found clean is remembered by its content in build/.clean, and asked again when anything of it changes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.paths import BUILD, FIRMWARE, ROOT
from tinyproof.firmware.dialects import MlperfSample

SUFFIXES = (".c", ".h", ".cpp")
LIB = FIRMWARE / "lib"
LAYERS = [LIB / layer for layer in ("engine", "hal", "protocol")]
# The boards whose flags are taken, the first one for all that any board could compile.
BOARDS = (
    "qemu-cortex-m4",
    "qemu-cortex-m0",
    "sim-pico",
    "qemu-cortex-m55",
    "qemu-riscv32",
    "qemu-xtensa",
    "sim-uno",
    "qemu-cortex-m4_tflm",
)
TARGETS = {  # clang's name for what a toolchain compiles for
    "arm-none-eabi-": "arm-none-eabi",
    "riscv64-unknown-elf-": "riscv32-unknown-elf",
    "xtensa-lx106-elf-": "xtensa",
    "avr-": "avr",
}
# These need headers that an export makes: tests/firmware lints them beside a model.
WITH_MODEL = {
    "qemu-cortex-m4": [LIB / "engine/engine_compiled.c", LIB / "profile/engine_profile.c", FIRMWARE / "src/main.c"],
    "sim-uno": [FIRMWARE / "src/main_arduino.cpp"],
}
# These need headers that no Debian package brings.
NOT_LINTED = {
    LIB / "engine/engine_tflm.cpp": "TFLite Micro",
    LIB / "engine/tflm_library.h": "TFLite Micro",
    LIB / "hal/arduino_esp32.cpp": "the ESP32's Arduino core, with FreeRTOS",
}
# Nested loops over kernels have more paths than anyone waits for: the analyzer stops at this many states a function.
ANALYZER_STATES = 20_000
CLANG_KNOWS = ("-mthumb", "-mcpu=", "-mfloat-abi=", "-mfpu=", "-march=", "-mabi=", "-mmcu=")
WORKERS = 2
UNIT_FILES = 6  # of a unit at most, so that the workers share the work
CLEAN = BUILD / ".clean"  # an empty file for each unit that was clean, named by its digest
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class LintUnit:
    """Files that are compiled alike, and how."""

    files: tuple[Path, ...]
    flags: tuple[str, ...]


def firmware_sources() -> list[Path]:
    """Every C and C++ file of ours in firmware/."""
    return sorted(path for path in FIRMWARE.rglob("*") if path.suffix in SUFFIXES and ".pio" not in path.parts)


def units() -> list[LintUnit]:
    """All files that can be read without a model, each once."""
    linted_with: dict[str, str] = {}
    wanted = {name: [LIB / "hal" / file for file in find_board(name).build.hal if file[-2:] != ".S"] for name in BOARDS}
    wanted[BOARDS[0]] += [*sorted(LIB.glob("protocol/*.c")), *sorted(LIB.glob("engine/kernels/*.h"))]
    # A folder of faster kernels, with the board that has it and the fewest others before it or behind.
    for name in sorted(BOARDS, key=lambda name: len(find_board(name).build.kernels), reverse=True):
        linted_with |= dict.fromkeys(find_board(name).build.kernels, name)
    for folder, name in linted_with.items():
        wanted[name] += sorted(LIB.glob(f"engine/{folder}/**/*.h"))
    # The Nano's, with the Uno's Arduino core.
    wanted["sim-uno"] += [LIB / "hal/arduino_micros.cpp", LIB / "hal/arduino_one_speed.cpp"]
    seen: set[Path] = set()
    made = []
    for name, files in wanted.items():
        made += board_units(find_board(name), [file for file in files if file not in seen])
        seen.update(files)
    sample = MlperfSample("kws01", "own", 490)  # stands for any: the values change no line of the code
    defines = (f"-D{name}={_literal(value)}" for name, value in sample.defines().items())
    made.append(LintUnit((LIB / "mlperf/mlperf.c",), (*board_flags(find_board(BOARDS[0]), "c"), *defines)))
    here = {"simavr/runner.c": (), "qemu/instruction_counts.c": ("-DQEMU_PLUGIN_API=1",)}  # these run on this machine
    return [*made, *(LintUnit((FIRMWARE / name,), ("-std=c99", *flags)) for name, flags in here.items())]


def _literal(value: str | int) -> str:
    """As C writes it."""
    return f'"{value}"' if isinstance(value, str) else str(value)


def board_units(board: Board, files: Sequence[Path], *folders: Path) -> list[LintUnit]:
    """`files` with the board's flags, C apart from C++."""
    made = []
    for plus in (False, True):
        chosen = [file for file in files if (file.suffix == ".cpp") == plus]
        flags = board_flags(board, "c++" if plus else "c", folders)
        made += [
            LintUnit(tuple(chosen[first : first + UNIT_FILES]), flags) for first in range(0, len(chosen), UNIT_FILES)
        ]
    return made


def board_flags(board: Board, language: str, folders: Iterable[Path] = ()) -> tuple[str, ...]:
    """The board's compiler flags as far as clang knows them, with the headers of its own compiler and libraries."""
    build = board.build
    system = system_folders(f"{build.toolchain}gcc", language, build.flags)
    if build.core:
        core = Path(build.core)
        system = (*system, str(core / "cores/arduino"), str(core / "variants" / build.variant))
    own = [LIB / "engine" / folder for folder in build.kernels] + LAYERS
    return (
        f"--target={TARGETS[build.toolchain]}",
        *(flag for flag in build.flags if flag.startswith(CLANG_KNOWS)),
        *("-x", language, "-std=c++17" if language == "c++" else "-std=c99", "-nostdinc"),
        *(f"-isystem{folder}" for folder in system),
        *(f"-I{folder}" for folder in (*own, *folders)),
        *(f"-D{name}={value}UL" for name, value in build.defines.items()),
        *(f'-DHAL_BOARD="{board.name}"', f'-DHAL_TICK_UNIT="{board.tick_unit}"'),
        "-Wno-unused-function",
    )


@cache
def system_folders(compiler: str, language: str, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Where a compiler looks for <...>, by its own word."""
    command = [compiler, *flags, "-x", language, "-E", "-v", os.devnull]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    _, _, folders = said.partition("#include <...> search starts here:\n")
    return tuple(line.strip() for line in folders.partition("End of search list.")[0].splitlines())


def tidy(chosen: Iterable[LintUnit], clean: Path | None = None) -> str:
    """What clang-tidy finds, as it says it; empty when there is nothing. Units of which the folder `clean` says that
    they were clean are left out."""

    def one(unit: LintUnit) -> str:
        stamp = clean / digest(unit) if clean else None
        if stamp and stamp.exists():
            return ""
        analyzer = ["-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={ANALYZER_STATES}"]
        command = [str(tool("clang-tidy")), "--quiet", f"--config-file={ROOT / '.clang-tidy'}", *map(str, unit.files)]
        done = subprocess.run([*command, "--", *unit.flags, *analyzer], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stdout + done.stderr
        if stamp:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()
        return ""

    with ThreadPoolExecutor(WORKERS) as pool:
        return "".join(pool.map(one, chosen))


def digest(unit: LintUnit) -> str:
    """SHA-256 of all that clang-tidy's answer depends on. Of headers from Debian's packages that is the path alone."""
    folders = [Path(flag.removeprefix("-I")) for flag in unit.flags if flag.startswith("-I")]
    reached, waiting = set[Path](), list(unit.files)
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            names = INCLUDE.findall(file.read_text(encoding="utf-8"))
            candidates = (folder / name for name in names for folder in (file.parent, *folders))
            waiting += [candidate for candidate in candidates if candidate.is_file()]
    state = hashlib.sha256(f"{version('clang-tidy')} {ANALYZER_STATES} {unit}".encode())
    for file in (ROOT / ".clang-tidy", *sorted(reached)):
        state.update(hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()


def format_differences(files: Iterable[Path]) -> str:
    """Where a file is not as clang-format would write it; empty when all are."""
    style = f"--style=file:{ROOT / '.clang-format'}"
    command = [str(tool("clang-format")), style, "--dry-run", "-Werror", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr


def tool(name: str) -> Path:
    """A program of this Python environment, whatever else is on the PATH."""
    return Path(sys.executable).parent / name


def main() -> int:
    """Prints what both find to stderr; the process's exit code, 0 where they find nothing."""
    found = format_differences(firmware_sources()) + tidy(units(), CLEAN)
    sys.stderr.write(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
