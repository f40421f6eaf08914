# SPDX-License-Identifier: Apache-2.0
"""How often each instruction ran: what the plugin firmware/qemu/instruction_counts.c writes while an emulator runs."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tinyproof.core.board_spec import Board
from tinyproof.core.emulator_command import ensure_counter
from tinyproof.core.errors import EnvironmentFaultError


@dataclass(frozen=True)
class Count:
    """Of one instruction in one call. `entered`: not from the instruction before it; `left`: not to the one behind it;
    `performed`: memory was reached; `split`: bus accesses beyond the first, for an address that is not aligned."""

    executed: int
    entered: int = 0
    left: int = 0
    performed: int = 0
    split: int = 0


Call = dict[int, Count]  # by address


@dataclass(frozen=True)
class Counter:
    """Counts the calls of some functions. `options`: for the emulator's command."""

    options: tuple[str, ...]
    out: Path

    def calls(self) -> list[Call]:
        """All calls that have returned so far, in their order."""
        found: list[Call] = []
        for line in self.out.read_text(encoding="ascii").splitlines():
            first, *rest = line.split()
            if first == "entry":
                found.append({})
            else:
                found[-1][int(first, 16)] = Count(*map(int, rest))
        return found


@contextlib.contextmanager
def counting(board: Board, elf: Path, functions: Sequence[str]) -> Iterator[Counter]:
    """Counts the calls of `functions` of `elf` in an emulator that is started with the counter's options.

    Raises EnvironmentFaultError where the plugin cannot be compiled, or a function is not in the ELF.
    """
    assert board.emulator is not None  # read_board sees to it for a simulated board
    program = shutil.which(board.emulator.command[0])
    if program is None:
        raise EnvironmentFaultError(f"{board.emulator.command[0]} is missing: board {board.name} runs on it")
    plugin = ensure_counter(program)
    entries = sorted({_address(elf, function) for function in functions})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        out.touch()
        words = [str(plugin), f"out={out}", *(f"entry={entry:x}" for entry in entries)]
        yield Counter(("-plugin", ",".join(words)), out)


def _address(elf: Path, function: str) -> int:
    """Where a function begins; Thumb's lowest bit is no part of it."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
            if symbol.name == function and symbol["st_info"]["type"] == "STT_FUNC":
                return int(symbol["st_value"]) & ~1
    raise EnvironmentFaultError(f"{elf.name} has no function {function}: its cycles cannot be counted")
