# SPDX-License-Identifier: Apache-2.0
"""What a Thumb instruction does, as far as a pipeline cares: read out of the ELF by Capstone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import capstone
from capstone import arm
from elftools.elf.elffile import ELFFile

_MULTIPLE = ("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop")
_SINGLE = ("ldr", "str", "vldr", "vstr")
_NOT_COMPUTED = frozenset({"pc", "cpsr", "itstate", "fpscr"})  # no later instruction takes its address from them
_LONG_FIRST_HALFWORD = 0b11101  # from here on, the five upper bits begin an instruction of 32 bits


@dataclass(frozen=True)
class Instruction:
    """One instruction. `name`: its mnemonic without condition, flags or width; `size`: bytes.

    `memory`: "single" (one register), "multiple" (two words, or a list), or "" where it reaches none; of such, `words`
    is how many it moves, and `address` the registers that make the address. Of a single one, `has_index` says whether
    the offset is a register, `writes_back` whether the base moves.
    `loads`: the registers that come from memory; `makes`: those that the core computes.
    """

    name: str
    at: int
    size: int
    memory: str = ""
    is_load: bool = False
    words: int = 0
    address: frozenset[str] = frozenset()
    has_index: bool = False
    writes_back: bool = False
    loads: frozenset[str] = frozenset()
    makes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()


class Decoder:
    """The code of one ELF. Instructions are decoded once, where they are asked for."""

    def __init__(self, elf: Path) -> None:
        with elf.open("rb") as file:
            self._segments = [
                (segment["p_vaddr"], segment.data()) for segment in ELFFile(file).iter_segments("PT_LOAD")
            ]
        self._capstone = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        self._capstone.detail = True
        self._known: dict[int, Instruction] = {}

    def instructions(self, addresses: Iterable[int]) -> dict[int, Instruction]:
        """The instructions at `addresses`, each with those that stand right before it, so that a condition given by an
        IT is known. Raises ValueError where there is no code."""
        wanted = sorted(addresses)
        if any(address not in self._known for address in wanted):
            for start, code in self._runs(wanted):
                decoded = [self._decode(one) for one in self._capstone.disasm(code, start)]
                if sum(one.size for one in decoded) != len(code):
                    raise ValueError(f"no instruction at 0x{start + sum(one.size for one in decoded):x}")
                self._known.update((one.at, one) for one in decoded)
        return {address: self._known[address] for address in wanted}

    def _runs(self, wanted: list[int]) -> list[tuple[int, bytes]]:
        """Instructions that follow each other without a gap, as (address, code)."""
        runs: list[tuple[int, bytes]] = []
        for address in wanted:
            code = self._code(address)
            if runs and runs[-1][0] + len(runs[-1][1]) == address:
                runs[-1] = runs[-1][0], runs[-1][1] + code
            else:
                runs.append((address, code))
        return runs

    def _code(self, address: int) -> bytes:
        for start, content in self._segments:
            if start <= address < start + len(content):
                place = address - start
                size = 4 if content[place + 1] >> 3 >= _LONG_FIRST_HALFWORD else 2
                return bytes(content[place : place + size])
        raise ValueError(f"no code at 0x{address:x}")

    def _decode(self, one: Any) -> Instruction:
        read, written = (frozenset(map(self._name, side)) for side in one.regs_access())
        name = self._capstone.insn_name(one.id)
        places = [operand.mem for operand in one.operands if operand.type == arm.ARM_OP_MEM]
        registers = [operand.reg for operand in one.operands if operand.type == arm.ARM_OP_REG]
        common = {"name": name, "at": one.address, "size": one.size, "reads": read}
        if name.startswith(_MULTIPLE):
            base = "sp" if name.endswith(("push", "pop")) else self._name(registers.pop(0))
            return self._multiple(registers, frozenset({base}), common)
        if not places or not name.startswith(_SINGLE):
            return Instruction(**common, makes=written - _NOT_COMPUTED)
        moved = registers[: 2 if name in ("ldrd", "strd") else 1]
        address = frozenset(self._name(part) for part in (places[0].base, places[0].index) if part) - {"pc"}
        if self._words(moved) > 1:
            return self._multiple(moved, address, common)
        is_load = name.startswith(("ldr", "vldr"))
        return Instruction(
            **common,
            memory="single",
            is_load=is_load,
            words=1,
            address=address,
            has_index=places[0].index != 0,
            writes_back=one.writeback,
            loads=frozenset(map(self._name, moved)) if is_load else frozenset(),
        )

    def _multiple(self, moved: list[int], address: frozenset[str], common: dict[str, Any]) -> Instruction:
        is_load = common["name"].startswith(("ldr", "ldm", "pop", "vldr", "vldm", "vpop"))
        loads = frozenset(map(self._name, moved)) if is_load else frozenset()
        words = self._words(moved)
        return Instruction(**common, memory="multiple", is_load=is_load, words=words, address=address, loads=loads)

    def _words(self, registers: list[int]) -> int:
        return sum(2 if self._name(register).startswith("d") else 1 for register in registers)

    def _name(self, register: int) -> str:
        return str(self._capstone.reg_name(register))
