# SPDX-License-Identifier: Apache-2.0
"""The instructions in armv7em.h answer as a Cortex-M4's, and kernels that go wrong are noticed by their translation."""

from __future__ import annotations

import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import op_cases
from support.cortex_m4 import M4
from support.instruction_cases import different_snippets, parameters
from support.op_cases import (
    BLOCKED_KERNELS,
    DSP_KERNELS,
    Case,
    assert_bit_exact_with_dsp_kernels,
    edge_inputs,
    translate_unit,
)
from support.op_rows import convolution, fully_connected
from support.sanitizers import FLAGS

from tinyproof.faults.native.armv7em import ARMV7EM

# Instructions as kernels write them, in a statement with these operands: d and e are written, n, m and a read; p is an
# address in `memory`, i a distance in bytes from there, w a variable, and pair two.
SNIPPETS = [
    "smlad %[d], %[n], %[m], %[a]",
    "smuad %[d], %[n], %[m]",
    "smlald %[d], %[e], %[n], %[m]",
    "smlabb %[d], %[n], %[m], %[a]",
    "smlatt %[d], %[n], %[m], %[a]",
    "smlabt %[d], %[n], %[m], %[a]",
    "smlatb %[d], %[n], %[m], %[a]",
    "smmlar %[d], %[n], %[m], %[a]",
    "smmla %[d], %[n], %[m], %[a]",
    "smmul %[d], %[n], %[m]",
    "sxtb16 %[d], %[n]",
    "sxtb16 %[d], %[n], ror #8",
    "sadd16 %[d], %[n], %[m]",
    "ssub8 %[d], %[n], %[m]\nsel %[d], %[m], %[a]",
    "mov %[d], %[n]",
    "and %[d], %[n], %[m]",
    "and %[d], %[n], %[m], asr #31",
    "lsl %[d], %[n], %[m]",
    "qadd %[d], %[n], %[m]",
    "add %[d], %[n], %[m]",
    "add %[d], %[n], #4",
    "add %[d], %[n], %[m], asr #31",
    "add %[d], %[n], %[m], lsl #2",
    "sub %[d], %[n], %[m]",
    "sub %[d], %[n], #8",
    "asr %[d], %[n], %[m]",
    "asr %[d], %[n], #8",
    "ssat %[d], #16, %[n]",
    "ssat %[d], #8, %[n], asr #1",
    "ldr %[d], %[w]",
    "ldr %[d], [%[p], #4]",
    "ldr %[d], [%[p]], #4",
    "ldr %[d], [%[p]]",
    "ldr %[d], [%[p], %[i]]",
    "asr r4, %[i], #1\nldr %[d], [%[p], r4, lsl #1]",
    "ldrsb %[d], [%[p]]",
    "ldrsb %[d], [%[p], #5]",
    "ldrsb %[d], [%[p], %[i]]",
    "asr r4, %[i], #1\nldrsb %[d], [%[p], r4, lsl #1]",
    "strb %[n], [%[p]]",
    "ldrd %[d], %[e], [%[p]]",
    "ldrd %[d], %[e], [%[p], #4]",
    "ldrd %[d], %[e], [%[p], #-8]",
    "ldrd %[d], %[e], %[pair]",
    "ldrd %[d], %[e], [%[p]], #8",
    "ldrd %[d], %[e], [%[p], #8]!",
    "strd %[n], %[m], [%[p]], #8",
    "mov r4, %[n]\nmov r5, %[m]\nstmia %[p]!, {r4, r5}",
    "ldmia %[p]!, {r4, r5}\nsub %[d], r4, r5",
    "ldmia %[p], {r4, r5}\nsub %[d], r4, r5",
    "str %[n], %[w]",
    "strb %[n], [%[p]], #1",
    "strb %[n], [%[p], %[i]]",
    "asr r4, %[i], #1\nstrb %[n], [%[p], r4, lsl #1]",
    "strh %[n], [%[p]], #2",
    "strh %[n], [%[p], %[i]]",
    "cmp %[n], #0\nbeq 1f\nadd %[d], %[n], #4\n1:",
    "tst %[n], #0x40000000\nbne 1f\nmov %[d], %[n]\n1:",
    "subs %[d], %[n], #1\nbne 1f\nadd %[d], %[m], #4\n1:",
    "add %[d], %[n], %[m]\nb 1f\nmov %[d], %[n]\n1:",
    "1:\nldr r4, [%[p]], #4\nadd %[d], %[d], r4\ncmp %[p], %[end]\nbne 1b",
]
FUNCTION = """
static uint32_t answer@number@(uint32_t n, uint32_t m, uint32_t a) {
    uint32_t memory[8] = {n, m, a, n ^ m, m ^ a, a ^ n, ~n, ~m};
    uint32_t d = 1, e = 2, w = a, hash = 2166136261u;
    char *p = (char *)(memory + 2), *const end = (char *)(memory + 6);
    const int32_t i = (int32_t)(m % 13) - 5;
    const uint32_t pair[2] = {n + m, m ^ a};
    (void)pair;
    __asm__ volatile(@snippet@
        : [d] "+&r"(d), [e] "+&r"(e), [p] "+&r"(p), [w] "+m"(w)
        : [n] "r"(n), [m] "r"(m), [a] "r"(a), [i] "r"(i), [end] "r"(end), [pair] "m"(pair)
        : "r4", "r5", "cc", "memory");
    for (int k = 0; k < 8; k++)
        hash = (hash ^ memory[k]) * 16777619u;
    hash = (hash ^ d) * 16777619u;
    hash = (hash ^ e) * 16777619u;
    hash = (hash ^ w) * 16777619u;
    return (hash ^ (uint32_t)(p - (char *)memory)) * 16777619u;
}
"""


def test_instructions_answer_as_on_a_cortex_m4(tmp_path: Path) -> None:
    assert not different_snippets(M4, ARMV7EM, SNIPPETS, FUNCTION, tmp_path)


def test_every_translated_instruction_was_compared() -> None:
    lines = [line for snippet in SNIPPETS for line in snippet.splitlines() if not line.endswith(":")]
    assert {ARMV7EM.find_form(line)[0] for line in lines} == set(ARMV7EM.forms)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ('"smusd %0, %1, %1" : "=r"(d) : "r"(n)', "smusd"),
        ('"mov %0, %1" : "=r"(d) : "r"(n)', None),
        ('"mov %1, %0" : "=r"(d) : "r"(n)', "read-only"),
        ('"mov r4, %1" : "=r"(d) : "r"(n)', "r4"),
        ('"cmp %0, %1" : "=r"(d) : "r"(n)', "arm_equal"),
        ('"mov %0, %1" : "=r"(d) : "r"(n) : "r4", "cc"', None),
    ],
)
def test_assembly_has_to_keep_to_what_it_declares(statement: str, says: str | None, tmp_path: Path) -> None:
    source = f"int f(int n);\nint f(int n) {{\n    int d;\n    __asm__({statement});\n    return d;\n}}\n"
    (tmp_path / "one.c").write_text(source, encoding="utf-8")
    try:
        unit = translate_unit(str(tmp_path / "one.c"), [])
    except AssertionError as error:
        assert says and says in str(error)
        return
    done = subprocess.run(["gcc", *FLAGS, "-c", unit, "-o", f"{unit}.o"], capture_output=True, text=True, check=False)
    assert (says or "") in done.stderr
    assert (done.returncode == 0) == (says is None)


CONV = convolution.Layer((1, 4, 4, 4), units=4, y=(0.0207, 5))
ONCE = replace(CONV, y=(0.0207, -128))  # all outputs on one side of the zero point: one rounding is enough
DEPTHWISE = convolution.Layer((1, 4, 4, 16), units=16, multiplier=1, y=(0.01, -128), activation=1)
DEPTHWISE_ODD = convolution.Layer((1, 2, 3, 9), units=18, multiplier=2, kernel=(5, 5), y=(0.01, -128), activation=1)
DENSE = fully_connected.Layer(64, 8)
NARROW = fully_connected.Layer(36, 20)  # inputs that are no whole eights
PLANES = convolution.Layer((1, 9, 12, 3), units=6, multiplier=2, y=(0.0207, 5))
PLANES_ONCE = replace(PLANES, y=(0.0207, -128))
PLANES_ODD = replace(PLANES_ONCE, shape=(1, 9, 11, 3))
PLANES_FIVE = replace(PLANES_ONCE, kernel=(5, 5))
STRIDED = convolution.Layer((1, 9, 12, 3), units=6, multiplier=2, strides=(2, 2), y=(0.0207, 5))
WIDE = convolution.Layer((1, 3, 4, 200), units=2, y=(0.1, 5))  # too much for a strip
STRIDED_FIVE = replace(STRIDED, kernel=(5, 5))
FEW = convolution.Layer((1, 12, 9, 4), units=1)  # channel by channel, with sums in memory
STRIDED_ONCE = replace(STRIDED, y=(0.0207, -128))
QUADS = fully_connected.Layer(40, 14)  # an odd number of pairs
RIGHT = replace(WIDE, shape=(1, 4, 8, 200), strides=(2, 2))  # nothing is outside on the left
RAGGED = convolution.Layer((1, 6, 7, 5), units=4, padding=convolution.VALID, y=(0.02, 5))
COLUMNS = convolution.Layer((1, 5, 6, 3), units=4, y=(0.0207, 5))
DILATED = replace(COLUMNS, dilations=(2, 2))
DIFFERENT = r"1 of 1 cases differ:\ncompiled: "


def case(layer: Any) -> Case:
    if isinstance(layer, fully_connected.Layer):
        return Case(str(layer), fully_connected.build(layer), edge_inputs(layer.rows * layer.depth, 1))
    return Case(str(layer), convolution.build(layer), edge_inputs(math.prod(layer.shape), 1))


def test_right_kernels_pass() -> None:
    assert_bit_exact_with_dsp_kernels(
        [
            case(layer)
            for layer in (
                CONV,
                ONCE,
                WIDE,
                RAGGED,
                COLUMNS,
                DILATED,
                DEPTHWISE,
                PLANES,
                PLANES_ONCE,
                PLANES_ODD,
                PLANES_FIVE,
                STRIDED,
                STRIDED_ONCE,
                STRIDED_FIVE,
                FEW,
                DENSE,
                NARROW,
                QUADS,
            )
        ]
    )


# What a kernel could do wrong, and how it shows. An address too far by one step is found in each of: the tables, the
# scratch, the input and the output.
WRONG: list[tuple[Any, str, str, str, str]] = [
    (CONV, "pairs_multiply", "add %[b1], %[w], %[b1], asr", "add %[b1], %[w], %[b0], asr", DIFFERENT),
    (CONV, "pairs_multiply", "add %[x], %[t], #24", "add %[x], %[t], #28", "global-buffer-overflow"),
    (CONV, "conv_multiply", "scales + pairs *", "scales + (pairs + 1) *", "global-buffer-overflow"),
    (ONCE, "conv_multiply", "scales + pairs *", "scales + (pairs + 1) *", "global-buffer-overflow"),
    (ONCE, "pairs_once", "sub %[b1], %[b1], %[a1]", "sub %[b1], %[b1], %[a0]", DIFFERENT),
    (ONCE, "pairs_once", "[%[t], #24]!", "[%[t], #28]!", "global-buffer-overflow"),
    (QUADS, "pairs_quads", "add r6, %[weights], r6", "mov r6, %[weights]", DIFFERENT),
    (QUADS, "pairs_quads", "/ 4 % 4", "/ 4 % 4 + 1", "overflow|poison"),
    (QUADS, "conv_multiply", "p->numbers & ~1", "p->numbers", "overflow|poison"),
    (PLANES_ONCE, "planes_at_once", '[" x "], #4', '[" x "], #12', "poison"),
    (PLANES_ODD, "planes_at_once", "count + 1) / 2", "count) / 2", DIFFERENT),
    (
        STRIDED_ONCE,
        "planes_at_once",
        "planes_word(w[2] * unit, w[5] * unit)",
        "planes_word(w[5] * unit, w[2] * unit)",
        DIFFERENT,
    ),
    (PLANES_ONCE, "planes_multiply", "step_y - count * step", "step_y - count * step + 40", "overflow|poison"),
    (ONCE, "pairs_once", "str %[w], %[output]", "add %[w], %[w], #64\\n\\tstr %[w], %[output]", "poison"),
    (
        RAGGED,
        "conv_pairs_s8",
        "row_bytes / 4, w->kernel_height",
        "row_bytes / 4, w->kernel_height + 2",
        "overflow|poison",
    ),
    (RIGHT, "conv_columns", "x > w->input_width || from", "from", f"{DIFFERENT}|poison"),
    (
        WIDE,
        "conv_columns",
        "(uint32_t)place->y >= (uint32_t)w->input_height || from",
        "from",
        "SEGV|poison|overflow",
    ),
    (CONV, "conv_columns", "if ((uint32_t)y >= (uint32_t)w->input_height)", "if (y > 99)", "poison"),
    (CONV, "conv_columns", "inside = row < bytes", "inside = row > bytes", "poison|overflow"),
    (CONV, "pairs_multiply", "str %[w], %[output]", "add %[w], %[w], #64\\n\\tstr %[w], %[output]", "poison"),
    (RAGGED, "conv_columns", " || from > source->last", "", "poison"),
    (DILATED, "conv_by_columns", "phases * part - pixel", "phases * part", f"{DIFFERENT}|poison"),
    (COLUMNS, "conv_by_columns", "if ((uint32_t)y >= (uint32_t)w->input_height)", "if (y > 99)", "poison"),
    (COLUMNS, "conv_by_columns", "columns < part - begin", "columns > part - begin", "overflow|poison"),
    (COLUMNS, "conv_by_columns", "last = from[2]", "last = from[1]", DIFFERENT),
    (DILATED, "conv_by_columns", "x = phase - w->pad_left", "x = -w->pad_left", DIFFERENT),
    (DEPTHWISE, "depthwise_multiply", "smlatt r3", "smlabb r3", DIFFERENT),
    (DEPTHWISE, "depthwise_multiply", "ldrd r6, r8, [%[quad]], #8", "ldrd r6, r8, [%[quad]], #10", "misaligned"),
    (DEPTHWISE, "depthwise_quads_s8", "(x + end)", "(x + end + 4)", "overflow"),
    (DEPTHWISE, "depthwise_quads_s8", "at.y < y_inside", "at.y <= y_inside", "poison"),
    (DEPTHWISE_ODD, "depthwise_quads_s8", "begin = channels - 4", "begin = channels - 3", "poison|overflow"),
    (STRIDED_FIVE, "planes_multiply", 'PAIRS_SMLAD("r8", "r9", "r12")', 'PAIRS_SMLAD("r8", "r9", "%[t]")', DIFFERENT),
    (PLANES_FIVE, "planes_multiply", "step[-1] = 0", "step[-1] = 4000", "poison|overflow"),
    (PLANES, "conv_planes_s8", "columns->offset", "columns->offset + 1", "poison"),
    (PLANES, "conv_planes_s8", "(w->input_zero_point & 0xffff)", "0", DIFFERENT),
    (PLANES, "conv_planes_s8", "p->group_channels * taps", "p->group_channels * taps + 1", "overflow"),
    (FEW, "conv_planes_s8", "count / 4", "count / 4 + 1", "poison|differ"),
    (PLANES_FIVE, "planes_multiply", "count - 1) & ~3", "count + 3) & ~3", "poison|overflow|differ"),
    (NARROW, "pairs_steps", 'PAIRS_SMLAD("%[b]", w, x) "sxtb16', 'PAIRS_SMLAD("%[a]", w, x) "sxtb16', DIFFERENT),
    (DENSE, "conv_pairs_s8", "input, depth / 4)", "input, depth / 4 + 1)", "poison|overflow"),
]


@pytest.mark.parametrize(("layer", "kernel", "right", "wrong", "says"), parameters(WRONG))
def test_a_wrong_kernel_is_noticed(
    layer: Any, kernel: str, right: str, wrong: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(BLOCKED_KERNELS, tmp_path / "dsp")
    shutil.copytree(DSP_KERNELS, tmp_path / "dsp", dirs_exist_ok=True)
    path = tmp_path / "dsp" / "kernels" / f"{kernel}.h"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(op_cases, "DSP_KERNELS", tmp_path / "dsp")
    with pytest.raises(AssertionError, match=says):
        assert_bit_exact_with_dsp_kernels([case(layer)])
