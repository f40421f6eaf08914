# SPDX-License-Identifier: Apache-2.0
"""The Arduino core for AVR, from the folder that the board's TOML names, with flags after the core's platform.txt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import BuildSpec, MemorySpec

# DECIMAL_DIG: avr-libc's needs a macro that gcc 5 does not have.
DEFINES = ("ARDUINO_ARCH_AVR", ("DECIMAL_DIG", "__DECIMAL_DIG__"))
CXX = ("-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics")


def link_flags(memory: MemorySpec) -> list[str]:
    """Regions of avr-gcc's own linker script; the reserve for the stack is kept free of data."""
    regions = {
        "__TEXT_REGION_LENGTH__": memory.flash_bytes,
        "__DATA_REGION_ORIGIN__": memory.ram_origin,
        "__DATA_REGION_LENGTH__": memory.ram_bytes - (memory.stack_bytes or 0),
    }
    return [f"-Wl,--defsym={name}={value}" for name, value in regions.items()]


def add_core(env: Any, build: BuildSpec) -> None:
    """Add the core's headers for our sources, and the core itself as a library."""
    root = Path(build.core)
    core, variant = root / "cores" / "arduino", root / "variants" / build.variant
    # gcc 5 knows the older of the two options only.
    env["CCFLAGS"] = [str(flag).replace("-ffile-prefix-map=", "-fdebug-prefix-map=") for flag in env["CCFLAGS"]]
    env.Append(
        CPPDEFINES=list(DEFINES),
        CPPPATH=[str(core), str(variant)],
    )
    # What is built for size saves its registers by one function. The model, which is built for speed, does not: there
    # OPTIMISE is another.
    env.Replace(CXXFLAGS=list(CXX), OPTIMISE="-mcall-prologues")
    own = env.Clone()
    same_everywhere = [flag for flag in env["CCFLAGS"] if flag.startswith("-fdebug-prefix-map=")]
    own.Replace(
        CFLAGS=["-std=gnu11"],
        CXXFLAGS=[*CXX, "-fpermissive"],
        CCFLAGS=[*build.flags, "-Os", "-g", "-w", "-ffunction-sections", "-fdata-sections", *same_everywhere],
        CPPPATH=[str(core), str(variant)],
        TINYPROOF_FRAMES=False,
    )
    # Without assembler files: one, of pulseIn, has the name of a C file, and SCons would give both the same object.
    env.Append(LIBS=[own.BuildLibrary("$BUILD_DIR/arduino", str(core), "-<*> +<*.c> +<*.cpp>"), "m"])
