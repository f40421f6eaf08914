# SPDX-License-Identifier: Apache-2.0
"""Programs of the system that a simulated board needs, what of them is missing, and the Debian packages that bring it.

Nothing else needs any of them: to inspect, to export, and to check a board that is plugged in, Python is enough.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.node_package import rp2040js_folder

SIMAVR_HEADER = Path("/usr/include/simavr/sim_avr.h")
SPECS = "--specs="


@dataclass(frozen=True)
class Missing:
    """`what` is not there. `packages`: Debian's, with blanks between them; "" where it has none, and `install` says how
    to come by it."""

    what: str
    packages: str
    install: str = ""

    @property
    def remedy(self) -> str:
        """In words."""
        return self.install or f"sudo apt-get install {self.packages}"


@dataclass(frozen=True)
class System:
    """Where the facts come from. `finds`: whether a compiler, with these flags, finds a file of its library."""

    which: Callable[[str], str | None] = shutil.which
    exists: Callable[[Path], bool] = Path.exists
    finds: Callable[[str, tuple[str, ...], str], bool] | None = None


def missing_to_build(board: Board, system: System | None = None) -> list[Missing]:
    """Compiler, C library and core of a simulated board; [] for one that PlatformIO fetches them for."""
    return list(_to_build(board, system or System())) if board.kind == "simulated" else []


def missing_to_run(board: Board, system: System | None = None) -> list[Missing]:
    """The emulator of a simulated board."""
    system = system or System()
    if board.emulator is None:
        return []
    program, package = board.emulator.command[0], board.emulator.package or board.emulator.command[0]
    if program != "{simavr}":
        if system.which(program) is None:
            return [Missing(program, "" if board.emulator.install else package, board.emulator.install)]
        if (
            "{rp2040js}" in board.emulator.command
            and system.which("npm") is None
            and not system.exists(rp2040js_folder())
        ):
            return [Missing("npm", package)]
        return []
    if system.which("gcc") is None:
        return [Missing("gcc, for the runner of simavr,", package)]
    return [] if system.exists(SIMAVR_HEADER) else [Missing("libsimavr", package)]


def missing_to_prove(system: System | None = None) -> list[Missing]:
    """What `prove` needs, and nobody else: it is not installed with the rest."""
    system = system or System()
    tools = (("frama-c", "frama-c-base"), ("gcc", "gcc"), ("g++", "g++"))
    return [Missing(tool, package) for tool, package in tools if system.which(tool) is None]


def missing_for(board: Board, system: System | None = None) -> list[Missing]:
    """To build for it, and to run it."""
    return [*missing_to_build(board, system), *missing_to_run(board, system)]


def refuse_missing(missing: list[Missing]) -> None:
    """Raises EnvironmentFaultError naming the first of them and the remedy for all that Debian has."""
    if missing:
        raise EnvironmentFaultError(f"{missing[0].what} is missing; {missing[0].remedy} (./tinyproof doctor --install)")


def _to_build(board: Board, system: System) -> Iterator[Missing]:
    build = board.build
    compiler = f"{build.toolchain}gcc"
    if system.which(compiler) is None:
        yield Missing(compiler, build.package)
        return
    flags = build.flags if build.framework else (*build.flags, *build.link_flags)  # a framework links in its own way
    needed = [flag.removeprefix(SPECS) for flag in flags if flag.startswith(SPECS)] or ["libc.a"]
    plain = tuple(flag for flag in flags if not flag.startswith(SPECS))  # with one that is missing, gcc only complains
    for file in needed:
        there = system.exists(Path(file)) if "/" in file else (system.finds or _finds)(compiler, plain, file)
        if not there:
            yield Missing(f"{file} of {compiler}", build.package)
    if build.core and not system.exists(Path(build.core)):
        yield Missing(build.core, build.package)


def _finds(compiler: str, flags: tuple[str, ...], file: str) -> bool:
    """gcc answers with the bare name where it knows no such file."""
    command = [compiler, *flags, f"-print-file-name={file}"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    except OSError:
        return False
    return said.strip() not in ("", file)
