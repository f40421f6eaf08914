# SPDX-License-Identifier: Apache-2.0
"""Whom a proof is about: boards whose compiler sees the very kernels that were judged."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from tinyproof.core.board_spec import all_boards
from tinyproof.prove.compilers import run_compiler
from tinyproof.prove.symbolic import ENGINE

NARROW_INT = "avr-"  # toolchains whose int has 16 bits: products of bytes are of another type there


def covered_boards(build_dir: Path) -> tuple[list[str], list[str]]:
    """Boards with the compiled engine that the proof covers; and of the others a line for each set of kernels: who has
    it, and why it is not covered."""
    covered: list[str] = []
    open_ones: dict[str, list[str]] = {}
    other_kernels = cache(partial(_other_kernels, build_dir))  # most boards share their folders
    for board in all_boards().values():
        if board.engine != "compiled" or board.hidden:
            continue
        if board.build.toolchain.startswith(NARROW_INT):
            open_ones.setdefault("int has 16 bits", []).append(board.name)
        elif others := other_kernels(tuple(board.build.kernels)):
            open_ones.setdefault(others, []).append(board.name)
        else:
            covered.append(board.name)
    return covered, [f"{', '.join(names)}: {why}" for why, names in open_ones.items()]


def _other_kernels(build_dir: Path, folders: tuple[str, ...]) -> str:
    """The files that the generated C includes from these folders of the engine, which come before the portable ones;
    "" for none."""
    includes = [f"-I{ENGINE / folder}" for folder in folders] + [f"-I{ENGINE}", f"-I{build_dir}"]
    command = ["gcc", "-MM", "-MG", *includes, str(build_dir / "model_compiled.c")]
    listed = run_compiler(command, "the generated C cannot be read")
    files = [Path(word).resolve() for word in listed.replace("\\\n", " ").split()[1:]]
    found = {}
    for folder in folders:
        root = (ENGINE / folder).resolve()
        names = [file.name for file in files if file.is_relative_to(root)]
        if names:
            found[folder] = names
    return "; ".join(f"{folder} ({', '.join(sorted(names))})" for folder, names in found.items())
