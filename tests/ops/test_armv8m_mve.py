# SPDX-License-Identifier: Apache-2.0
"""The instructions in armv8m_mve.h answer as a Cortex-M55's, and their translation notices kernels that go wrong."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import op_cases
from support.cortex_m4 import M55
from support.instruction_cases import different_snippets, parameters
from support.op_cases import MVE_KERNELS, Case, assert_bit_exact_with_mve_kernels, edge_inputs, translate_unit
from support.op_rows import binary, convolution, fully_connected, pooling
from support.sanitizers import FLAGS

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
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
    "vctp.8 %[c]\nvpst\nvldrbt.s32 q2, [%[p]]",
    "vctp.8 %[c]\nvpst\nvmladavat.s8 r4, q0, q1",
    "vctp.8 %[c]\nvpst\nvqmovntt.s32 q2, q0",
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


@pytest.mark.parametrize(
    "snippets",
    [pytest.param(SNIPPETS, id="plain"), pytest.param(PREDICATED, id="predicated", marks=pytest.mark.nightly)],
)
def test_instructions_answer_as_on_a_cortex_m55(snippets: list[str], tmp_path: Path) -> None:
    assert not different_snippets(M55, ARMV8M_MVE, snippets, FUNCTION, tmp_path)


def test_every_translated_instruction_was_compared() -> None:
    lines = [line for snippet in SNIPPETS + PREDICATED for line in snippet.splitlines() if not line.endswith(":")]
    assert {ARMV8M_MVE.find_form(line)[0] for line, _ in conditions(lines)} >= set(FORMS)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ('"vadd.i32 q0, q0, %0" : : "r"(n) : "q0", "cc"', ""),
        ('"vadd.i32 q0, q1, %0" : : "r"(n) : "q0", "cc"', "q1"),
        ('"dls lr, %0\\n1:\\nle lr, 1b" : : "r"(n) : "cc"', "lr"),
        ('"vctp.8 %0" : : "r"(n)', "mve_p0"),
        ('"vpst\\nvadd.i32 q0, q0, %0" : : "r"(n) : "q0", "cc"', "predicated"),
        ('"vaddt.i32 q0, q0, %0" : : "r"(n) : "q0", "cc"', "vaddt"),
        ('"vsli.32 q0, q0, #3" : : : "q0", "cc"', "vsli"),
    ],
)
def test_assembly_has_to_keep_to_what_it_declares(statement: str, says: str, tmp_path: Path) -> None:
    source = f"void f(int n);\nvoid f(int n) {{\n    (void)n;\n    __asm__ volatile({statement});\n}}\n"
    (tmp_path / "one.c").write_text(source, encoding="utf-8")
    try:
        unit = translate_unit(str(tmp_path / "one.c"), [], ARMV8M_MVE)
    except AssertionError as error:
        assert says and says in str(error)
        return
    done = subprocess.run(["gcc", *FLAGS, "-c", unit, "-o", f"{unit}.o"], capture_output=True, text=True, check=False)
    assert says in done.stderr
    assert (done.returncode == 0) == (not says)


def conv(**changes: Any) -> Case:
    layer = replace(convolution.Layer((1, 6, 5, 8), units=7, y=(0.02, 5)), **changes)
    return Case(str(layer), convolution.build(layer), layer.edges(1))


def dense(depth: int, units: int, **changes: Any) -> Case:
    layer = fully_connected.Layer(depth, units, **changes)
    return Case(str(layer), fully_connected.build(layer), layer.edges(1))


def of_two(name: str, shape: tuple[int, ...], other: tuple[int, ...]) -> Case:
    operands = [(shape, "int8", (0.1, 3)), (other, "int8", (0.07, -5))]
    y = 0.15 if name == "ADD" else 0.03
    return binary.build(name, operands, (shape, "int8", (y, 9)), None, 1, fusedActivationFunction=0)


def window(name: str, channels: int) -> Case:
    tflite = pooling.pool(name, (1, 4, 5, channels), (2, 3), (2, 2), pooling.SAME)
    return Case(name, tflite, edge_inputs(20 * channels, 1))


ANY_WAY = (*(0.01,) * 6, 0.5)  # scales of weights, of which the last one shifts to the left
CONV, LEFT = conv(), conv(weight_scales=ANY_WAY, seed=2)
POINTWISE = conv(shape=(1, 3, 4, 12), kernel=(1, 1))
DEPTHWISE = conv(units=8, multiplier=1)
BORDERS = conv(shape=(1, 6, 9, 17), units=17, multiplier=1, strides=(2, 2), y=(0.01, 7))
DEPTHWISE_LEFT = conv(units=8, multiplier=1, weight_scales=(0.01, *ANY_WAY), seed=3)
DENSE, DENSE_LEFT = dense(36, 7), dense(36, 7, y=(0.0003, 5))
PIXELS = dense(32, 6, leading=(3,))
ADD, MUL = of_two("ADD", (3, 7), (3, 7)), of_two("MUL", (3, 7), (3, 7))
SPREAD = of_two("ADD", (3, 19), (3, 1))
AVERAGE, LARGEST = window("AVERAGE_POOL_2D", 9), window("MAX_POOL_2D", 9)
DIFFERENT = r"1 of 1 cases differ:\ncompiled: "
BEYOND = "poison|overflow"
ALL = [CONV, LEFT, POINTWISE, DEPTHWISE, BORDERS, DEPTHWISE_LEFT, DENSE, DENSE_LEFT, PIXELS, ADD, MUL, SPREAD, AVERAGE]


def test_of_each_kernel_there_is_a_case() -> None:
    programs = [lower(read_graph(case.tflite)) for case in [*ALL, LARGEST]]
    forms = {op.mve.kernel if op.mve else op.kernel for program in programs for op in program.ops}
    own = {path.stem for path in (MVE_KERNELS / "kernels").glob("*_s8.h")}
    assert forms == own


@pytest.mark.nightly
def test_right_kernels_pass() -> None:
    assert_bit_exact_with_mve_kernels([*ALL, LARGEST])


# What a kernel could do wrong, and how it shows: an address too far by one byte, a tail too long, and all else.
WRONG: list[tuple[Case, str, str, str, str]] = [
    (CONV, "conv_mve", "scratch + MVE_BYTES * p->blocks", "scratch + MVE_BYTES * p->blocks + 1", BEYOND),
    (CONV, "conv_mve", '"vstrbt.32 q1, [r4]', '"vaddt.i32 q1, q1, q1', DIFFERENT),
    (CONV, "conv_mve", "place >= size", "place > size", f"{DIFFERENT}|{BEYOND}"),
    (CONV, "conv_mve", '"vctp.32 r2', '"add r2, r2, #1\\n\\tvctp.32 r2', BEYOND),
    (CONV, "conv_mve", "vmov q0[2], q0[0], r0, r4", "vmov q0[2], q0[0], r4, r0", DIFFERENT),
    (POINTWISE, "conv_mve", "at->end - x >= MVE_BYTES * p->blocks && ", "", BEYOND),
    (LEFT, "mve", '"vand " free ", "', '"veor " free ", "', DIFFERENT),
    (CONV, "mve", '"vrshl.s32 "', '"vshl.s32 "', DIFFERENT),
    (CONV, "mve", "dlstp.8 lr, %[bytes]", "dlstp.32 lr, %[bytes]", f"{DIFFERENT}|{BEYOND}"),
    (BORDERS, "mve", '"r"(value), [bytes] "r"(bytes)', '"r"(value), [bytes] "r"(bytes + 1)', f"{DIFFERENT}|{BEYOND}"),
    (DENSE, "fully_connected_mve", "mov %[x], %[input]", "add %[x], %[input], #1", BEYOND),
    (DENSE, "fully_connected_mve", "vctp.32 %[units]", "mov lr, #8\\n\\tvctp.32 lr", BEYOND),
    (DENSE_LEFT, "fully_connected_mve", "subs %[units], %[units], #4", "subs %[units], %[units], #3", BEYOND),
    (DEPTHWISE, "depthwise_mve", '"vpst\\n\\tvldrbt.8 q4, [%[tap]]', '"vldrb.8 q4, [%[tap]]', BEYOND),
    (BORDERS, "depthwise_mve", "vqdmlah.s16 q2, q6", "vqdmlah.s16 q3, q6", DIFFERENT),
    (BORDERS, "depthwise_mve", '"blt 4f', '"bgt 4f', BEYOND),
    (BORDERS, "depthwise_mve", "vcmp.u32 cs, q1", "vcmp.u32 cs, q0", f"{DIFFERENT}|{BEYOND}"),
    (BORDERS, "depthwise_mve", "add %[x], %[x], %[units]", "add %[x], %[x], #0", f"{DIFFERENT}|{BEYOND}"),
    (DEPTHWISE, "depthwise_mve", "4 : 8) * p->taps", "4 : 8) * p->taps + 1", BEYOND),
    (ADD, "add_s8", "vshl.i32 q1, q1, #20", "vshl.i32 q1, q1, #19", DIFFERENT),
    (ADD, "add_s8", '"dlstp.32', '"add %[count], %[count], #1\\n\\tdlstp.32', BEYOND),
    (MUL, "mul_s8", '"dlstp.32', '"add %[count], %[count], #1\\n\\tdlstp.32', BEYOND),
    (SPREAD, "elementwise", "same[MVE_BYTES]", "same[MVE_BYTES - 1]", "stack-buffer-overflow|insufficient space"),
    (AVERAGE, "average_pool_s8", '"dlstp.32', '"add %[left], %[left], #1\\n\\tdlstp.32', BEYOND),
    (AVERAGE, "average_pool_s8", "vabs.s32 q0, q0", "vabs.s32 q0, q2", DIFFERENT),
    (LARGEST, "max_pool_s8", "dlstp.8 lr", "dlstp.32 lr", BEYOND),
]


@pytest.mark.parametrize(("case", "kernel", "right", "wrong", "says"), parameters(WRONG))
def test_a_wrong_kernel_is_noticed(
    case: Case, kernel: str, right: str, wrong: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(MVE_KERNELS, tmp_path / "mve")
    path = tmp_path / "mve" / "kernels" / f"{kernel}.h"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(op_cases, "MVE_KERNELS", tmp_path / "mve")
    with pytest.raises(AssertionError, match=says):
        assert_bit_exact_with_mve_kernels([case])
