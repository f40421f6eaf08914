# SPDX-License-Identifier: Apache-2.0
"""Cycles of a Cortex-M4 with memory that never makes it wait.

Sources: the Cortex-M4 Technical Reference Manual (Arm 100166, formerly DDI 0439), tables 3-1 and 3-2, section 3.3.2 on
loads and stores, and chapter 7 on the FPU. Where it gives a range or is silent, measurements on an STM32F407 decide
(jnk0le, "pipeline cycle test", cortex_m3m4.md); the places say so.

What is not modelled: wait states, flash caches and prefetch, bus contention, and the operands of a division.
"""

from __future__ import annotations

from pathlib import Path

from tinyproof.host.cycles.counts import Call, Count
from tinyproof.host.cycles.decoding import Decoder, Instruction

# Table 3-1: a division takes 2 to 12 cycles, by its operands, which nobody reads here.
DIVISION = 7
# P, the refill of the pipeline: 1 to 3 "depending on the alignment and width of the target instruction, and whether the
# processor manages to speculate the address early". A direct branch is known when it is decoded: the delay loop of the
# nRF52, SUBS and a taken B<cc>, takes 3 cycles. Of a register the address is known later; section 3.3.2 has three
# cycles behind a load of the PC, and TBB or TBH take "at least six".
REFILL_DIRECT = 1
REFILL_REGISTER = 2
REFILL_LOADED = 3
TABLE_BRANCH = 3  # before the refill: two for the load, one for the sum

_DIRECT = ("b", "bl", "cbz", "cbnz")
_PREFIXES = {"vdiv": 14, "vsqrt": 14, "vmla": 3, "vmls": 3, "vnmla": 3, "vnmls": 3, "vfma": 3, "vfms": 3, "vfnm": 3}
_TWO = ("mrs", "msr", "cps")  # 1 or 2
_FPU_WITHOUT_RESULT = ("vmov", "vmrs", "vmsr", "vldr", "vstr", "vldm", "vstm", "vpush", "vpop")


class CortexM4:
    """The cycles of calls that were counted in one ELF."""

    def __init__(self, elf: Path) -> None:
        self._decoder = Decoder(elf)

    def cycles(self, call: Call) -> int:
        """From the first instruction of the function to its return, which is included."""
        code = self._decoder.instructions(call)
        by_end = {one.at + one.size: one for one in code.values()}
        return sum(cost(one, by_end.get(address), call[address]) for address, one in code.items())


def cost(now: Instruction, before: Instruction | None, count: Count) -> int:
    """Cycles of all executions of `now`. `before` stands right in front of it, and ran before it except where `now` was
    entered by a branch."""
    in_row = count.executed - count.entered if before is not None else 0
    total = _alone(now, count)
    if before is not None and in_row:
        total += in_row * _between(before, now)
    if _is_astride(now):
        total += count.entered  # its second half is fetched a cycle later
    return total


def _alone(now: Instruction, count: Count) -> int:
    if now.memory:
        return _memory(now, count)
    if now.name in _DIRECT:
        return count.executed + count.left * REFILL_DIRECT
    if now.name in ("tbb", "tbh"):
        return count.executed * TABLE_BRANCH + count.left * REFILL_LOADED
    if now.name in ("sdiv", "udiv"):
        return count.executed * DIVISION
    if now.name in _TWO:
        return count.executed * 2
    each = next((cycles for prefix, cycles in _PREFIXES.items() if now.name.startswith(prefix)), 1)
    return count.executed * each + count.left * REFILL_REGISTER  # BX, BLX, MOV and ADD to the PC


def _memory(now: Instruction, count: Count) -> int:
    """An instruction that its condition skips takes the one cycle of a NOP."""
    if now.memory == "multiple":
        each = 1 + now.words
    else:
        each = 2 if now.is_load or now.has_index or now.name.startswith("v") else 1
    skipped = count.executed - count.performed
    return count.performed * each + skipped + count.split + count.left * REFILL_LOADED


def _between(before: Instruction, now: Instruction) -> int:
    """Cycles that `now` costs more, or less, right behind `before`."""
    if now.name.startswith("it"):
        return -1 if before.size == 2 else 0  # folded onto a 16-bit instruction
    if before.name.startswith("v") and not before.name.startswith(_FPU_WITHOUT_RESULT) and before.makes & now.reads:
        return 1
    if not now.memory:
        return 0
    if not before.memory:
        return 1 if before.makes & now.address else 0  # no forwarding to the address
    if before.memory == now.memory == "single":
        return _pipelined(before, now)
    return 0


def _pipelined(before: Instruction, now: Instruction) -> int:
    """Of two neighbours that move a register each. Behind a store nothing is pipelined, and a load there waits for the
    store's data (measured; the manual has it take its own two cycles)."""
    if not before.is_load:
        return 1 if now.is_load else 0
    if before.loads & now.address:
        return 0
    if before.writes_back and now.writes_back and before.address & now.address:
        return 0  # measured: not chained on the same base
    if _is_astride(now):
        return 0  # "32-bit opcodes aligned on odd halfword boundaries", below table 3-1: measured, too
    return -1 if now.is_load or now.has_index else 0


def _is_astride(one: Instruction) -> bool:
    """Whether its two halves lie in different words."""
    return one.size == 4 and one.at % 4 != 0
