# SPDX-License-Identifier: Apache-2.0
"""The instructions in armv8m_mve.h answer as a Cortex-M55's, and kernels that go wrong are noticed by their translation."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cortex_m4 import M55
from support.instruction_cases import different_snippets

from tinyproof.faults.native.armv8m_mve import ARMV8M_MVE, FORMS, conditions

# Instructions on vectors as kernels write them: in a statement with q0 to q2 of the operands and q3 of numbers to shift
# by; d is written, n, m and a are read, p is an address in `memory`, c counts lanes.
VECTORS = [
    "vdup.8 q2, %[n]",
    "vdup.16 q2, %[n]",
    "vdup.32 q2, %[n]",
    "vadd.i16 q2, q0, q1",
    "vadd.i32 q2, q0, q1",
    "vadd.i32 q2, q0, %[m]",
    "vsub.i16 q2, q0, q1",
    "vsub.i32 q2, q0, q1",
    "vsub.i32 q2, q0, %[m]",
    "vmul.i32 q2, q0, q1",
    "vmul.i32 q2, q0, %[m]",
    "vmla.s32 q2, q0, %[m]",
    "vmlas.s32 q2, q0, %[m]",
    "vmulh.u32 q2, q0, q1",
    "vmullb.s8 q2, q0, q1",
    "vmullt.s8 q2, q0, q1",
    "vqadd.s16 q2, q0, %[m]",
    "vqrdmulh.s32 q2, q0, q1",
    "vqrdmulh.s32 q2, q0, %[m]",
    "vqdmlah.s16 q2, q0, %[m]",
    "vqdmlah.s32 q2, q0, %[m]",
    "vrshl.s32 q2, q0, q3",
    "vshl.s32 q2, q0, q3",
    "vshl.u32 q2, q0, q3",
    "vshl.i16 q2, q0, #8",
    "vshl.i32 q2, q0, #20",
    "vshr.s32 q2, q0, #31",
    "vshr.s32 q2, q0, #32",
    "vshllb.s16 q2, q0, #8",
    "vshllt.s16 q2, q0, #8",
    "vmovlb.u16 q2, q0",
    "vmovlt.u16 q2, q0",
    "vqmovnb.s16 q2, q0",
    "vqmovnt.s16 q2, q0",
    "vqmovnb.s32 q2, q0",
    "vqmovnt.s32 q2, q0",
    "vmax.s8 q2, q0, q1",
    "vmax.s32 q2, q0, q1",
    "vmin.s8 q2, q0, q1",
    "vmin.s32 q2, q0, q1",
    "vabs.s32 q2, q0",
    "vand q2, q0, q1",
    "veor q2, q0, q1",
    "vpsel q2, q0, q1",
    "vidup.u32 q2, r4, #2",
    "vmladava.s8 r4, q0, q1",
    "vcmp.u32 cs, q0, %[m]",
    "vldrb.8 q2, [%[p]]",
    "vldrb.8 q2, [%[p]], #16",
    "vldrb.s32 q2, [%[p]]",
    "vldrb.s32 q2, [%[p]], #4",
    "vldrw.32 q2, [%[p]], #16",
    "vstrb.8 q0, [%[p]], #16",
    "vstrb.32 q0, [%[p]]",
    "vstrb.32 q0, [%[p]], #4",
    "vstrw.32 q0, [%[p]], #16",
]
# What cannot be predicated, or does it to others.
OTHERS = [
    "vmov q2[2], q2[0], %[n], %[m]",
    "vmov q2[3], q2[1], %[n], %[m]",
    "vctp.8 %[c]\nvpsel q2, q0, q1",
    "vctp.32 %[c]\nvpsel q2, q0, q1",
    "vctp.8 %[c]\nvpst\nvcmpt.u32 cs, q0, %[m]\nvpsel q2, q0, q1",
    "vctp.8 %[c]\nvpst\nvctpt.32 %[a]\nvpsel q2, q0, q1",
    "vctp.32 %[c]\nvpstt\nvstrbt.32 q1, [%[p]]\nvaddt.i32 q2, q0, q1\nvadd.i32 q0, q1, q2",
    "vctp.8 %[c]\nvpsttt\nvaddt.i32 q2, q0, q1\nvandt q0, q1, q2\nvsubt.i32 q1, q1, q2\nveor q0, q0, q1",
    "wlstp.8 lr, %[c], 2f\n1:\nvstrb.8 q0, [%[p]], #16\nletp lr, 1b\n2:",
    "wlstp.32 lr, %[c], 2f\n1:\nvstrw.32 q0, [%[p]], #16\nletp lr, 1b\n2:\nvadd.i32 q2, q0, q1",
    "dlstp.32 lr, %[c]\n1:\nvctp.8 %[m]\nvpst\nvaddt.i32 q2, q2, q1\nletp lr, 1b\nvadd.i32 q2, q2, q1",
    "add r6, %[c], #1\ndls lr, r6\n1:\nadd %[d], %[d], %[n]\nvadd.i32 q2, q2, q1\nle lr, 1b",
    "mov %[d], #128",
    "and r4, %[c], %[c]\nadd r4, r4, %[p]\nldrsb %[d], [r4]\nmov r4, %[n]",
    "add r4, %[p], %[c]\nldrsb %[d], [r4]\nmov r4, %[n]",
    "add %[d], %[n], %[m]",
    "subs %[d], %[n], #4\nbgt 1f\nmov %[d], %[m]\n1:",
    "subs %[d], %[n], #1\nbne 1f\nmov %[d], %[m]\n1:",
    "cmp %[n], #16\nblt 1f\nmov %[d], %[m]\n1:",
    "cmp %[n], #16\nbeq 1f\nmov %[d], %[m]\n1:",
    "cmp %[n], %[m]\nblt 1f\nmov %[d], %[m]\n1:",
    "cmp %[n], %[m]\nbgt 1f\nmov %[d], %[m]\n1:",
]
FUNCTION = """
static uint32_t answer@number@(uint32_t n, uint32_t m, uint32_t a) {
    uint32_t memory[40], d = 1, hash = 2166136261u;
    uint32_t vectors[4][4] = {{n, m, a, n ^ m}, {m, a, n, ~m}, {a, n ^ a, n, m},
        {m % 83 - 41, a % 83 - 41, n, (n ^ m) % 41 - 20}};
    for (uint32_t k = 0; k < 40; k++)
        memory[k] = (k % 3 == 0 ? n : k % 3 == 1 ? m : a) ^ k;
    char *p = (char *)(memory + 8);
    uint32_t *to = vectors[0];
    const uint32_t *from = vectors[0];
    const uint32_t c = (n ^ m >> 7 ^ a >> 3) % 21;
    __asm__ volatile("mov r4, %[n]\\nmov r6, %[m]\\nvctp.8 %[a]\\n"
        "vldrw.32 q0, [%[from]], #16\\nvldrw.32 q1, [%[from]], #16\\n"
        "vldrw.32 q2, [%[from]], #16\\nvldrw.32 q3, [%[from]], #16\\n"
        @snippet@
        "\\nvstrw.32 q0, [%[to]], #16\\nvstrw.32 q1, [%[to]], #16\\nvstrw.32 q2, [%[to]], #16\\nadd %[d], %[d], r4"
        : [d] "+&r"(d), [p] "+&l"(p), [from] "+&r"(from), [to] "+&r"(to)
        : [n] "r"(n), [m] "r"(m), [a] "r"(a), [c] "r"(c)
        : "r4", "r6", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
    for (int k = 0; k < 40; k++)
        hash = (hash ^ memory[k]) * 16777619u;
    for (int k = 0; k < 12; k++)
        hash = (hash ^ vectors[k / 4][k % 4]) * 16777619u;
    hash = (hash ^ d) * 16777619u;
    return (hash ^ (uint32_t)(p - (char *)memory)) * 16777619u;
}
"""


def predicated(line: str) -> list[str]:
    """In a block of VPST that leaves out bytes, and in loops with tail predication by bytes and by words."""
    name, _, operands = line.partition(" ")
    stem, dot, kind = name.partition(".")
    snippets = [f"vctp.8 %[c]\nvpst\n{stem}t{dot}{kind} {operands}"]
    return snippets + [f"dlstp.{bits} lr, %[c]\n1:\n{line}\nletp lr, 1b" for bits in (8, 32)]


SNIPPETS = [*VECTORS, *OTHERS]
PREDICATED = [snippet for line in VECTORS for snippet in predicated(line)]


@pytest.mark.parametrize("snippets", [SNIPPETS, PREDICATED], ids=["plain", "predicated"])
def test_instructions_answer_as_on_a_cortex_m55(snippets: list[str], tmp_path: Path) -> None:
    assert not different_snippets(M55, ARMV8M_MVE, snippets, FUNCTION, tmp_path)


def test_every_translated_instruction_was_compared() -> None:
    lines = [line for snippet in SNIPPETS + PREDICATED for line in snippet.splitlines() if not line.endswith(":")]
    assert {ARMV8M_MVE.find_form(line)[0] for line, _ in conditions(lines)} >= set(FORMS)
