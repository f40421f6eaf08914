# SPDX-License-Identifier: Apache-2.0
"""Runs C on an emulated Cortex-M4 or M55: cases with the kernels for their extension, compared there with TFLite Micro.

One image holds all cases: inputs and right answers are constants in it. It reports by semihosting and needs no library.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.op_cases import ENGINE, Case, compile_case, has_mve_kernel, write_unit
from support.sanitizers import STRICT
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import MemoryPlan

FLAGS = [
    *("-mthumb", "-mfloat-abi=hard", "-O2", "-nostdlib"),
    *STRICT,
]
ICOUNT_SHIFT = 7
TICKS_PER_INSTRUCTION = 2**ICOUNT_SHIFT * 25e-3


@dataclass(frozen=True)
class Core:
    """A machine of QEMU, the compiler's flags for it, and the engine's folders with kernels for its extension."""

    machine: str
    flags: tuple[str, ...]
    kernels: tuple[str, ...]
    rom: str  # of the linker script: where, and how much
    ram: str  # for constants, too
    stack: int  # where it begins
    timer: int  # CMSDK's, or 0 where there is none


M4 = Core(
    "mps2-an386",
    ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"),
    ("kernels_dsp", "kernels_blocked"),
    "ORIGIN = 0, LENGTH = 4M",
    "ORIGIN = 0x20000000, LENGTH = 4M",
    0x20400000,
    0x40000000,
)
M55 = Core(
    "mps3-an547",
    ("-mcpu=cortex-m55",),
    ("kernels_mve", "kernels_dsp", "kernels_blocked"),
    "ORIGIN = 0, LENGTH = 512K",
    "ORIGIN = 0x70000000, LENGTH = 16M",
    0x71000000,
    0,
)
_LINKER_SCRIPT = """
MEMORY { ROM : @rom@  RAM : @ram@ }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) } > ROM
  .rodata : { *(.rodata*) } > RAM
  .ARM.exidx : { *(.ARM.exidx*) } > ROM
  .bss (NOLOAD) : { *(.bss*) *(.data*) } > RAM
}
"""
# What an image needs besides its own `void run(void)`: a start, an end, and `print` by semihosting.
_RUNTIME = """
void *memcpy(void *to, const void *from, unsigned n);
void *memset(void *to, int byte, unsigned n);
void *memcpy(void *to, const void *from, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int byte, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        ((volatile char *)to)[i] = (char)byte;
    return to;
}
static void semihosting(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
void print(const char *text);
void print(const char *text) {
    semihosting(4, text);
}
void run(void);
void reset(void);
void reset(void) {
    *(volatile unsigned *)0xE000ED88 |= 0xFu << 20; /* the FPU, which may hold spilled registers */
    run();
    semihosting(0x18, (const void *)0x20026); /* ADP_Stopped_ApplicationExit */
    for (;;)
        ;
}
__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))@stack@, reset};
"""
# Every arena is filled with garbage and followed by a guard. The timer of CMSDK runs at 25 MHz and counts down; with
# -icount shift=7 an instruction takes 128 ns, 3.2 ticks.
_RUN = """
enum { GUARD = 64 };
static int8_t arena[ARENA + GUARD] __attribute__((aligned(16)));
void *memcpy(void *to, const void *from, unsigned n);
void *memset(void *to, int byte, unsigned n);
void print(const char *text);
static void say(const char *word, unsigned number) {
    char line[32];
    char *at = line + sizeof line - 1;
    *at = 0;
    *--at = '\\n';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    print(word);
    print(at);
}
#if TIMER_ADDRESS
static volatile unsigned *const timer = (volatile unsigned *)TIMER_ADDRESS; /* control, value, reload */
#else
static volatile unsigned timer[3];
#endif
void run(void);
void run(void) {
    timer[2] = timer[1] = 0xffffffff;
    timer[0] = 1;
    for (unsigned m = 0; m < sizeof models / sizeof models[0]; m++) {
        const struct model *p = &models[m];
        const signed char *x = p->vectors, *y = p->vectors + p->count * p->x_bytes;
        unsigned wrong = 0, ticks = 0;
        for (unsigned v = 0; v < p->count; v++) {
            memset(arena, 0x5A, sizeof arena);
            const signed char *from = x + v * p->x_bytes;
            for (unsigned i = 0; i < p->inputs_count; from += p->inputs[i++].bytes)
                memcpy(arena + p->inputs[i].start, from, p->inputs[i].bytes);
            const unsigned start = timer[1];
            p->run(arena);
            const unsigned took = start - timer[1];
            ticks = took > ticks ? took : ticks;
            for (unsigned i = 0; i < p->y_bytes; i++)
                wrong += arena[p->y + i] != y[v * p->y_bytes + i];
            for (unsigned i = p->arena; i < p->arena + GUARD; i++)
                wrong += arena[i] != 0x5A;
        }
        say("ticks ", ticks);
        if (wrong)
            say("wrong ", m);
    }
    say("done ", sizeof models / sizeof models[0]);
}
"""


def run_on(core: Core, here: Path, sources: Sequence[str]) -> list[str]:
    """Builds an image in `here` from C files that define `void run(void)`, and returns the lines that it prints.

    Raises AssertionError with the compiler's words.
    """
    return run_image(build_image(here, sources, core), core)


def build_image(here: Path, sources: Sequence[str], core: Core = M4) -> Path:
    """The ELF in `here` of C or assembler files that define `void run(void)`. Raises as run_on does."""
    (here / "runtime.c").write_text(_RUNTIME.replace("@stack@", hex(core.stack)), encoding="utf-8")
    script = _LINKER_SCRIPT.replace("@rom@", core.rom).replace("@ram@", core.ram)
    (here / "link.ld").write_text(script, encoding="utf-8")
    folders = [f"-I{ENGINE / kernels}" for kernels in core.kernels] + [f"-I{ENGINE}"]
    command = ["arm-none-eabi-gcc", *FLAGS, *core.flags, *folders, "-T", str(here / "link.ld")]
    command += [str(here / "runtime.c"), *sources, "-lgcc", "-o", str(here / "image.elf")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[:4000]
    return here / "image.elf"


def run_image(elf: Path, core: Core = M4, options: Sequence[str] = ()) -> list[str]:
    """What an image prints, and what the emulator says; `options`: further words of its command."""
    emulator = ["qemu-system-arm", "-M", core.machine, "-display", "none", "-monitor", "none", "-serial", "none"]
    emulator += ["-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
    emulator += ["-icount", f"shift={ICOUNT_SHIFT}", *options]
    ran = subprocess.run(emulator, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    return (ran.stdout + ran.stderr).splitlines()


def assert_bit_exact_on_cortex_m4(cases: Sequence[Case]) -> None:
    """As `assert_bit_exact_on` says."""
    assert_bit_exact_on(M4, cases)


def assert_bit_exact_on_cortex_m55(cases: Sequence[Case]) -> None:
    """The same, for those cases that have kernels for MVE."""
    special = [case for case in cases if has_mve_kernel(lower(read_graph(case.tflite)))]
    if special:
        assert_bit_exact_on(M55, special)


def assert_bit_exact_on(core: Core, cases: Sequence[Case]) -> None:
    """Every case's compiled C answers there as TFLite Micro's interpreter does here, and stays inside of its arena."""
    count_instructions(cases, core)


def count_instructions(
    cases: Sequence[Case], core: Core = M4, plan_case: Callable[[Program], MemoryPlan] | None = None
) -> list[int]:
    """What an inference of each case takes there, the longest of its inputs, which are all answered as TFLite Micro's
    interpreter answers them; 0 on a core without a timer. Raises AssertionError where one is not. `plan_case`: where
    tensors lie, instead of the exporter's plan."""
    programs = [lower(read_graph(case.tflite)) for case in cases]
    compiled = [(p, plan_case(p)) if plan_case else compile_case(case) for case, p in zip(cases, programs, strict=True)]
    largest = max(plan.arena_bytes for _, plan in compiled)
    text = ["#include <stdint.h>", f"#define ARENA {largest}", f"#define TIMER_ADDRESS {core.timer}"]
    text.append("struct span { unsigned start, bytes; };")
    rows = []
    for number, (case, (program, plan)) in enumerate(zip(cases, compiled, strict=True)):
        reference = Reference(case.tflite, "tflite-micro")
        vectors = b"".join(case.inputs) + b"".join(reference.run(x_q) for x_q in case.inputs)
        values = ", ".join(str(byte - 256 if byte > 127 else byte) for byte in vectors)
        text.append(f"static const signed char vectors{number}[] = {{{values}}};")
        text.append(f"void m{number}_model_run(int8_t *arena);")
        spans = ", ".join(f"{{{plan.offsets[x.index]}, {x.bytes}}}" for x in program.inputs)
        text.append(f"static const struct span inputs{number}[] = {{{spans}}};")
        y = program.outputs[0]
        numbers = (len(program.inputs), plan.arena_bytes, len(case.inputs), len(case.inputs[0]), plan.offsets[y.index])
        tables = f"m{number}_model_run, vectors{number}, inputs{number}"
        rows.append(f"{{{tables}, {', '.join(map(str, numbers))}, {y.bytes}}},")
    text.append("struct model { void (*run)(int8_t *); const signed char *vectors; const struct span *inputs;")
    text.append("unsigned inputs_count, arena, count, x_bytes, y, y_bytes; };")
    text += ["static const struct model models[] = {", *rows, "};", _RUN]
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        unit = write_unit(here, compiled)
        (here / "main.c").write_text("\n".join(text), encoding="utf-8")
        lines = run_on(core, here, [str(here / "main.c"), unit])
    assert f"done {len(cases)}" in lines, lines[-10:]
    wrong = [cases[int(line.split()[1])].label for line in lines if line.startswith("wrong ")]
    assert not wrong, f"{len(wrong)} of {len(cases)} cases differ:\n" + "\n".join(wrong[:10])
    return [round(int(line.split()[1]) / TICKS_PER_INSTRUCTION) for line in lines if line.startswith("ticks ")]
