# SPDX-License-Identifier: Apache-2.0
"""Compiles the generated C of many models into one native program, and compares its answers with TFLite Micro's.

The program is built under ASan and UBSan with the firmware's warning flags. Every model runs in an arena of exactly the
planned size from malloc, filled with garbage before each inference: a byte too far or a byte never written shows.

Every other model has its tensors as islands in its arena, at the least alignment that a plan promises: the sanitizer
sees a byte beyond each one's end. So has every model with kernels for the DSP extension, whose assembly is translated
to C (armv7em.py).
"""

from __future__ import annotations

import random
import re
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.armv7em import HEADER, translate
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.codegen import emit_header, emit_source
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import WORD, MemoryPlan, plan_memory

ENGINE = Path(__file__).resolve().parents[2] / "firmware" / "lib" / "engine"
FLAGS = [
    *("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"),
    *("-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
]
DSP_KERNELS = ENGINE / "kernels_dsp"
ISLAND_ALIGNMENT = 32  # of what follows a gap of at least half of it


@dataclass(frozen=True)
class Case:
    """A model, the inputs to try it with, and how a failure names it.

    `aliased`, for one operator: its output begins where its input does, if it says that it can take that.
    """

    label: str
    tflite: bytes
    inputs: tuple[bytes, ...]
    aliased: bool = False

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.label)  # hypothesis asks for it; the model's bytes would drown a failure's words


def edge_inputs(count: int, seed: int, extra: int = 3) -> tuple[bytes, ...]:
    """Lowest, highest and mid values, a ramp through all bytes, and `extra` random vectors."""
    source = random.Random(seed)
    edges = [bytes([q]) * count for q in (0x80, 0x7F, 0x00)]
    ramp = bytes((i * 7 + seed) & 0xFF for i in range(count))
    return (*edges, ramp, *(source.randbytes(count) for _ in range(extra)))


def assert_bit_exact(cases: Sequence[Case], dsp: bool = False) -> None:
    """Every case's compiled C answers as TFLite Micro's interpreter does, and so does the Python reference."""
    wrong = []
    for case, compiled in zip(cases, run_natively(cases, dsp), strict=True):
        expected = Reference(case.tflite, "tflite-micro").run_batch(case.inputs)
        python = Reference(case.tflite, "python").run_batch(case.inputs)
        faults = [
            f"{engine}: {case.label}: {_first_difference(case, answers, expected)}"
            for engine, answers in (("compiled", compiled), ("python", python))
            if answers != expected
        ]
        wrong += ["; ".join(faults)] if faults else []
    assert not wrong, f"{len(wrong)} of {len(cases)} cases differ:\n" + "\n".join(wrong[:10])


def _first_difference(case: Case, answers: Sequence[bytes], expected: Sequence[bytes]) -> str:
    x_q, y_q, right = next(t for t in zip(case.inputs, answers, expected, strict=True) if t[1] != t[2])
    first = next(i for i, (a, b) in enumerate(zip(y_q, right, strict=True)) if a != b)
    return f"y[{first}] = {y_q[first]:#x}, expected {right[first]:#x}, x = {x_q[:16].hex()}"


def assert_bit_exact_with_dsp_kernels(cases: Sequence[Case]) -> None:
    """The same with the kernels for the DSP extension, for those cases that have any."""
    differing = [case for case in cases if has_dsp_kernel(lower(read_graph(case.tflite)))]
    if differing:
        assert_bit_exact(differing, dsp=True)


def run_natively(cases: Sequence[Case], dsp: bool = False) -> list[list[bytes]]:
    """The outputs of each case's inputs. Raises AssertionError with the compiler's or a sanitizer's words."""
    compiled = [compile_case(case, islands=dsp or number % 2 == 1) for number, case in enumerate(cases)]
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        units = [write_unit(here, start, compiled[start : start + 40]) for start in range(0, len(compiled), 40)]
        if dsp:
            units = [translate_unit(unit, [DSP_KERNELS, ENGINE]) for unit in units]
        (here / "main.c").write_text(_main(compiled), encoding="utf-8")
        command = ["gcc", *FLAGS, f"-I{ENGINE}", "-o", str(here / "models"), str(here / "main.c"), *units]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr[:4000]
        request = b"".join(
            struct.pack("<I", len(case.inputs)) + b"".join(case.inputs)
            for case, (program, _) in zip(cases, compiled, strict=True)
            if all(len(x_q) == program.input.elements for x_q in case.inputs)
        )
        ran = subprocess.run([str(here / "models")], input=request, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr.decode()[:4000]
    answers, position = [], 0
    for case, (program, _) in zip(cases, compiled, strict=True):
        size = program.output.elements
        answers.append([ran.stdout[position + i * size : position + (i + 1) * size] for i in range(len(case.inputs))])
        position += size * len(case.inputs)
    assert position == len(ran.stdout)
    return answers


def has_dsp_kernel(program: Program) -> bool:
    """Whether a build with the DSP kernels differs from one without."""
    return any((DSP_KERNELS / "kernels" / f"{op.kernel}.h").exists() for op in program.ops if op.kernel)


def compile_case(case: Case, islands: bool = False) -> tuple[Program, MemoryPlan]:
    """The generated program and where its tensors lie."""
    program = lower(read_graph(case.tflite))
    if case.aliased and program.ops[0].in_place:
        x, y = program.input, program.output
        return program, MemoryPlan(max(x.elements, y.elements), {x.index: 0, y.index: 0}, x.elements + y.elements)
    return program, plan_islands(program) if islands else plan_memory(program)


def plan_islands(program: Program) -> MemoryPlan:
    """Every tensor and every scratch for itself, with gaps around it. What no kernel moves stays in place."""
    sizes = {program.input.index: program.input.elements}
    place = ISLAND_ALIGNMENT
    offsets: dict[int, int] = {}
    scratch: dict[int, int] = {}

    def claim(size: int) -> int:
        nonlocal place
        start = place + (WORD if size >= WORD else 1)
        place = -(-(start + size + ISLAND_ALIGNMENT // 2) // ISLAND_ALIGNMENT) * ISLAND_ALIGNMENT
        return start

    offsets[program.input.index] = claim(program.input.elements)
    for number, op in enumerate(program.ops):
        for index in op.outputs:
            sizes[index] = program.graph.tensors[index].elements
            offsets[index] = claim(sizes[index]) if op.kernel else offsets[op.inputs[0]]
        if op.scratch_bytes:
            scratch[number] = claim(op.scratch_bytes)
    return MemoryPlan(place, offsets, sum(sizes.values()), scratch)


def _gaps(program: Program, plan: MemoryPlan) -> list[tuple[int, int]]:
    """Bytes of the arena that are no tensor's and no scratch's: start and size."""
    ends = [(start, start + program.graph.tensors[index].elements) for index, start in plan.offsets.items()]
    ends += [(start, start + program.ops[number].scratch_bytes) for number, start in plan.scratch.items()]
    gaps, position = [], 0
    for start, end in sorted(ends):
        if start > position:
            gaps.append((position, start - position))
        position = max(position, end)
    if plan.arena_bytes > position:
        gaps.append((position, plan.arena_bytes - position))
    return gaps


def write_unit(here: Path, start: int, models: list[tuple[Program, MemoryPlan]]) -> str:
    """One file with the C of several models; their names get a prefix, everything else stays as generated."""
    parts = []
    for number, (program, plan) in enumerate(models, start=start):
        assert "model_run" in emit_header(program, plan, "0" * 16)
        text = emit_source(program, plan, "0" * 16)
        text = text.replace('#include "model_compiled.h"', f"void m{number}_model_run(int8_t *arena);")
        parts.append(re.sub(r"\b(op\d+\w*|\w+_shared|model_run)\b", rf"m{number}_\1", text))
    path = here / f"unit{start}.c"
    path.write_text("#include <stdint.h>\n" + "\n".join(parts), encoding="utf-8")
    return str(path)


def translate_unit(unit: str, folders: Sequence[Path]) -> str:
    """The same unit with its headers in it and without assembly: a file that gcc takes as preprocessed."""
    header = Path(__file__).with_name(HEADER)
    command = ["gcc", "-E", "-std=c99", *(f"-I{folder}" for folder in folders), "-include", str(header), unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    path = Path(unit).with_suffix(".i")
    path.write_text(translate(done.stdout), encoding="utf-8")
    return str(path)


_MAIN = """
struct model { void (*run)(int8_t *); size_t arena, x, x_bytes, y, y_bytes, gaps_end; };
static const struct model models[] = {
@models@
};
static const size_t gaps[][2] = {
@gaps@
    {0, 0}};
int main(void) {
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        const struct model *p = &models[m];
        int8_t *arena = malloc(p->arena);
        uint32_t count;
        if (!arena || fread(&count, sizeof count, 1, stdin) != 1) return 2;
        for (size_t gap = m ? models[m - 1].gaps_end : 0; gap < p->gaps_end; gap++)
            ASAN_POISON_MEMORY_REGION(arena + gaps[gap][0], gaps[gap][1]);
        while (count--) {
            for (size_t i = 0; i < p->arena; i++)
                if (!__asan_address_is_poisoned(arena + i)) arena[i] = 0x5A;
            if (fread(arena + p->x, 1, p->x_bytes, stdin) != p->x_bytes) return 2;
            p->run(arena);
            if (fwrite(arena + p->y, 1, p->y_bytes, stdout) != p->y_bytes) return 2;
        }
        free(arena);
    }
    return 0;
}
"""


def _main(models: list[tuple[Program, MemoryPlan]]) -> str:
    head = ["#include <sanitizer/asan_interface.h>"]
    head += [f"#include <{name}.h>" for name in ("stdint", "stdio", "stdlib", "string")]
    rows: list[str] = []
    gaps: list[tuple[int, int]] = []
    for number, (program, plan) in enumerate(models):
        head.append(f"void m{number}_model_run(int8_t *arena);")
        x, y = program.input, program.output
        gaps += _gaps(program, plan)
        places = (plan.arena_bytes, plan.offsets[x.index], x.elements, plan.offsets[y.index], y.elements, len(gaps))
        rows.append(f"    {{m{number}_model_run, {', '.join(map(str, places))}}},")
    body = _MAIN.replace("@models@", "\n".join(rows))
    return "\n".join(head) + body.replace("@gaps@", "\n".join(f"    {{{start}, {size}}}," for start, size in gaps))
