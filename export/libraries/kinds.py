# SPDX-License-Identifier: Apache-2.0
"""The build systems that a library can be exported for. What differs are the files in templates/KIND/."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.errors import UsageError

BUILD = "build/"  # what was built there goes with the folder, whatever its kind
_SELFTEST = "examples/selftest/"


@dataclass(frozen=True)
class Kind:
    """`label` and `label_short`: what the folder is called. `shown`: what has read and run such folders where this is
    developed; `not_run`: what nobody has. `parsed`: whether a consumer of this kind has read its metadata. `built`:
    what its own tools leave in the folder, a file or all that is below a path with a slash at its end."""

    name: str
    label: str
    label_short: str
    shown: str
    not_run: str
    parsed: bool = True
    built: tuple[str, ...] = (BUILD,)

    @property
    def summary(self) -> str:
        """For --help."""
        return self.name if self.parsed else f"{self.name} (untested)"


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "c",
            "A folder of C with a Makefile",
            "a folder of C",
            "make with GCC and Clang on Linux, x86-64; cross-compiled, its self-test on a Cortex-M4 under QEMU",
            "any real board",
        ),
        Kind(
            "cmake",
            "A CMake project",
            "a CMake project",
            "CMake and ctest on Linux, and cross-compiled for a Cortex-M4 with QEMU as the emulator of ctest",
            "any real board, and any generator but Makefiles and Ninja",
        ),
        Kind(
            "arduino",
            "An Arduino library",
            "an Arduino library",
            "arduino-builder with Debian's core for the Uno, whose self-test then ran on the simulator simavr",
            "any real board, the Arduino IDE, and the cores of other boards",
        ),
        Kind(
            "platformio",
            "A PlatformIO library",
            "a PlatformIO library",
            "`pio run` of projects that depend on it for simulated boards, whose self-tests then ran; `pio pkg pack`",
            "any real board, and PlatformIO's platforms for them",
            built=(BUILD, "{name}-{version}.tar.gz"),  # pio pkg pack
        ),
        Kind(
            "esp-idf",
            "A component of ESP-IDF",
            "a component",
            "`compote component pack` of Espressif's component manager has read its metadata; nothing was compiled by "
            "ESP-IDF",
            "idf.py, Espressif's compilers, and any ESP32",
            # compote component pack, and idf.py -C examples/selftest
            built=(
                *(BUILD, "dist/", f"{_SELFTEST}build/", f"{_SELFTEST}managed_components/"),
                *(f"{_SELFTEST}dependencies.lock", f"{_SELFTEST}sdkconfig", f"{_SELFTEST}sdkconfig.old"),
            ),
        ),
        Kind(
            "zephyr",
            "A Zephyr module",
            "a Zephyr module",
            "kconfiglib has read its Kconfig; nothing was compiled by Zephyr",
            "west, Zephyr's reader of module.yml, its CMake, and any board",
            parsed=False,
            built=(BUILD, "samples/selftest/build/"),  # west build
        ),
        Kind(
            "cmsis-pack",
            "A CMSIS pack's folder",
            "a CMSIS pack",
            "cmsis-pack-manager has read its pdsc; no project was built with it",
            "packchk, cpackget, Keil's and other tools, and any board",
        ),
    )
}


def find_kind(name: str) -> Kind:
    """Raises UsageError for a word that is none."""
    if name not in KINDS:
        raise UsageError(f"--as {name!r} is no kind of library; take one of {', '.join(KINDS)}")
    return KINDS[name]
