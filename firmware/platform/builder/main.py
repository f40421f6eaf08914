# SPDX-License-Identifier: Apache-2.0
"""How PlatformIO builds and starts a simulated board: all that differs between boards is read from its TOML."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import TinyproofError
from tinyproof.firmware.boot import confirm
from tinyproof.firmware.platform.builder import arduino_avr

env: Any = DefaultEnvironment()
FIRMWARE = Path(env.subst("$PROJECT_DIR")).resolve()

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]

board = find_board(env["PIOENV"])
build, memory = board.build, board.memory
assert memory is not None  # read_board sees to it for a simulated board
toolchain = build.toolchain

if not shutil.which(f"{toolchain}gcc"):
    sys.stderr.write(f"error: {toolchain}gcc is missing; apt-get install {build.package}\n")
    env.Exit(1)

env.Replace(
    AR=f"{toolchain}gcc-ar",
    AS=f"{toolchain}gcc",
    CC=f"{toolchain}gcc",
    CXX=f"{toolchain}g++",
    RANLIB=f"{toolchain}gcc-ranlib",
    SIZETOOL=f"{toolchain}size",
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.text|\.data|\.vectors|\.ARM\.exidx)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.stack)\s+(\d+).*",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.BoardConfig().update("upload.maximum_size", memory.flash_bytes)
env.BoardConfig().update("upload.maximum_ram_size", memory.ram_bytes)

env.Append(
    SRC_FILTER=[f"+<../lib/hal/{file}>" for file in build.hal],
    CFLAGS=[f"-std={build.c_standard}"],
    CXXFLAGS=["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-use-cxa-atexit"],
    CCFLAGS=[*build.flags, "-Os", "-g", "-ffunction-sections", "-fdata-sections", "-fstack-usage", *WARNINGS],
    CPPDEFINES=[
        ("HAL_BOARD", env.StringifyMacro(board.name)),
        ("HAL_TICK_UNIT", env.StringifyMacro(board.tick_unit)),
        *((name, f"{value}UL") for name, value in build.defines.items()),
    ],
    # The folder is put in here: SCons would take its name apart at a space.
    LINKFLAGS=[*build.flags, f"-Wl,--gc-sections,--fatal-warnings,-Map={env.subst('$BUILD_DIR')}/firmware.map,--cref"],
)
if build.framework == "arduino_avr":
    env.Append(LINKFLAGS=arduino_avr.link_flags(memory))
    arduino_avr.add_core(env, build)
else:
    env.Append(
        LINKFLAGS=[
            "-nostartfiles",
            *build.link_flags,
            "-Wl,--build-id=none",
            *(f"-Wl,--defsym={name}={value}" for name, value in memory.symbols().items()),
            "-T",
            str(FIRMWARE / "ld" / build.linker_script),
        ],
    )

elf = env.BuildProgram()
env.NoCache(elf)  # it comes with the linker's map, which is no target


def upload(target: Any, source: Any, env: Any) -> int:
    """A simulated board holds no image: boot it once, hear from the firmware itself which model it runs, stop it."""
    try:
        print(confirm(board, Path(str(source[0])), env["TINYPROOF_MODEL_ID"]))
    except TinyproofError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    return 0


AlwaysBuild(env.Alias("upload", elf, env.VerboseAction(upload, "Booting $SOURCE")))
Default(elf)
