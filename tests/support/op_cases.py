# SPDX-License-Identifier: Apache-2.0
"""Compiles the generated C of many models into one native program, and compares its answers with TFLite Micro's.

The program is built under ASan and UBSan with the firmware's warning flags. Every model runs in an arena of exactly the
planned size from malloc, filled with garbage before each inference: a byte too far or a byte never written shows. What
runs them is compiled once.

Every other model has its tensors as islands in its arena, at the least alignment that a plan promises: the sanitizer
sees a byte beyond each one's end. So has every model with kernels for the DSP extension or for MVE, whose assembly is
translated to C (assembly.py).
"""

from __future__ import annotations

import atexit
import random
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from support.sanitizers import compile_sanitized
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.codegen import emit_header, emit_source
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import MemoryPlan, plan_memory
from tinyproof.export.ops.base import Op, alignment
from tinyproof.faults.native.armv7em import ARMV7EM
from tinyproof.faults.native.armv8m_mve import ARMV8M_MVE
from tinyproof.faults.native.assembly import InstructionSet

ENGINE = Path(__file__).resolve().parents[2] / "firmware" / "lib" / "engine"
RUNNER = Path(__file__).with_name("op_runner.c")
DSP_KERNELS = ENGINE / "kernels_dsp"
MVE_KERNELS = ENGINE / "kernels_mve"
BLOCKED_KERNELS = ENGINE / "kernels_blocked"
BLOCK_SHAPES = ((), ("kernels_riscv",), ("kernels_thumb",))  # folders with other shapes of the blocks
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


def edge_words(count: int, seed: int, extra: int = 3) -> tuple[bytes, ...]:
    """The same for int16."""
    source = random.Random(seed)
    edges = [[q] * count for q in (-(2**15), 2**15 - 1, 0)]
    ramp = [(i * 1777 + seed) % 2**16 - 2**15 for i in range(count)]
    return (
        *(struct.pack(f"<{count}h", *x_q) for x_q in (*edges, ramp)),
        *(source.randbytes(2 * count) for _ in range(extra)),
    )


def assert_bit_exact(
    cases: Sequence[Case], dsp: bool = False, folders: Sequence[Path] = (), *, mve: bool = False
) -> None:
    """Every case's compiled C answers as TFLite Micro's interpreter does, and so does the Python reference."""
    wrong = []
    for case, compiled in zip(cases, run_natively(cases, dsp, folders=folders, mve=mve), strict=True):
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


def assert_bit_exact_with_mve_kernels(cases: Sequence[Case]) -> None:
    """The same with the kernels for MVE."""
    differing = [case for case in cases if has_mve_kernel(lower(read_graph(case.tflite)))]
    if differing:
        assert_bit_exact(differing, mve=True)


def assert_bit_exact_with_blocked_kernels(cases: Sequence[Case]) -> None:
    """With the kernels for cores without that extension; each third of the cases with blocks of another shape."""
    for number, shape in enumerate(BLOCK_SHAPES):
        if some := cases[number :: len(BLOCK_SHAPES)]:
            assert_bit_exact(some, folders=[*(ENGINE / folder for folder in shape), BLOCKED_KERNELS])


def run_natively(
    cases: Sequence[Case],
    dsp: bool = False,
    plan: Callable[[Program], MemoryPlan] | None = None,
    folders: Sequence[Path] = (),
    *,
    mve: bool = False,
) -> list[list[bytes]]:
    """The outputs of each case's inputs. Raises AssertionError with the compiler's or a sanitizer's words.

    `dsp`: with the kernels for the DSP extension, translated; `mve`: with those for MVE before these; `folders`: with
    those of these, before the plain ones.
    `plan`: where tensors lie, instead of apart in some cases and as tight as it goes in others.
    """
    if plan:
        programs = [lower(read_graph(case.tflite)) for case in cases]
        compiled = [(program, plan(program)) for program in programs]
    else:
        compiled = [compile_case(case, islands=dsp or mve or number % 2 == 1) for number, case in enumerate(cases)]
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        unit = write_unit(here, compiled)
        if mve:
            unit = translate_unit(unit, [MVE_KERNELS, DSP_KERNELS, BLOCKED_KERNELS, ENGINE], ARMV8M_MVE)
        elif dsp:
            unit = translate_unit(unit, [DSP_KERNELS, BLOCKED_KERNELS, ENGINE])
        (here / "tables.c").write_text(_tables(compiled, mve), encoding="utf-8")
        sources = [str(here / "tables.c"), unit, str(_runner())]
        before = [f"-I{folder}" for folder in folders]
        compile_sanitized([*before, f"-I{ENGINE}", f"-I{RUNNER.parent}", "-o", str(here / "models"), *sources])
        request = b"".join(
            struct.pack("<I", len(case.inputs)) + b"".join(case.inputs)
            for case, (program, _) in zip(cases, compiled, strict=True)
            if all(len(x_q) == program.input_bytes for x_q in case.inputs)
        )
        ran = subprocess.run([str(here / "models")], input=request, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr.decode()[:4000]
    answers, position = [], 0
    for case, (program, _) in zip(cases, compiled, strict=True):
        size = program.output_bytes
        answers.append([ran.stdout[position + i * size : position + (i + 1) * size] for i in range(len(case.inputs))])
        position += size * len(case.inputs)
    assert position == len(ran.stdout)
    return answers


def has_dsp_kernel(program: Program) -> bool:
    """Whether a build with the DSP kernels differs from one without."""
    special = {path.stem for path in (DSP_KERNELS / "kernels").iterdir()}
    return any(not special.isdisjoint(headers_of(op.kernel)) for op in program.ops if op.kernel)


def has_mve_kernel(program: Program) -> bool:
    """Whether a build with the kernels for MVE differs from one without."""
    own = {path.stem for path in (MVE_KERNELS / "kernels").iterdir()}
    return any(op.mve or op.kernel in own for op in program.ops)


def headers_of(kernel: str) -> set[str]:
    """Of a kernel: its own one and all that it includes."""
    text = (ENGINE / "kernels" / f"{kernel}.h").read_text(encoding="utf-8")
    return {kernel}.union(*map(headers_of, re.findall(r'#include "kernels/(\w+)\.h"', text)))


def compile_case(case: Case, islands: bool = False) -> tuple[Program, MemoryPlan]:
    """The generated program and where its tensors lie."""
    program = lower(read_graph(case.tflite))
    if case.aliased and program.ops[0].in_place:
        x, y = program.inputs[0], program.outputs[0]
        return program, MemoryPlan(max(x.bytes, y.bytes), {x.index: 0, y.index: 0}, x.bytes + y.bytes)
    return program, plan_islands(program) if islands else plan_memory(program)


def plan_islands(program: Program) -> MemoryPlan:
    """Every tensor and every scratch for itself, with gaps around it. What no kernel moves stays in place."""
    tensors = program.graph.tensors
    place = ISLAND_ALIGNMENT
    offsets: dict[int, int] = {}
    scratch: dict[int, int] = {}

    def claim(size: int, element: int = 1) -> int:
        nonlocal place
        start = place + alignment(size, element)
        place = -(-(start + size + ISLAND_ALIGNMENT // 2) // ISLAND_ALIGNMENT) * ISLAND_ALIGNMENT
        return start

    def settle(index: int) -> None:
        offsets[index] = claim(tensors[index].bytes, DTYPES[tensors[index].dtype].bits // 8)

    for index in (*(tensor.index for tensor in program.inputs), *program.initial):
        settle(index)
    for number, op in enumerate(program.ops):
        for index in op.outputs:
            if index in program.roots:
                root, start = program.roots[index]
                offsets[index] = offsets[root] + start
            elif index not in offsets:
                settle(index)
        if op.working_bytes:
            scratch[number] = claim(op.working_bytes)
    return MemoryPlan(place, offsets, sum(tensors[index].bytes for index in offsets), scratch)


def _gaps(program: Program, plan: MemoryPlan, mve: bool) -> list[tuple[int, int]]:
    """Bytes of the arena that are no tensor's and no scratch's of the form that runs: start and size."""
    ends = [(start, start + program.graph.tensors[index].bytes) for index, start in plan.offsets.items()]
    works = {number: _scratch_bytes(op, mve) for number, op in enumerate(program.ops)}
    ends += [(start, start + works[number]) for number, start in plan.scratch.items()]
    gaps, position = [], 0
    for start, end in sorted(ends):
        if start > position:
            gaps.append((position, start - position))
        position = max(position, end)
    if plan.arena_bytes > position:
        gaps.append((position, plan.arena_bytes - position))
    return gaps


def _scratch_bytes(op: Op, mve: bool) -> int:
    """Where there is a form for MVE, what that needs, or the others."""
    if form := op.mve:
        return form.scratch_bytes if mve else op.scratch_bytes
    return op.working_bytes


@cache
def _runner() -> Path:
    """What reads inputs, runs the models and writes their outputs, compiled once for the life of this process."""
    folder = tempfile.mkdtemp(prefix="tinyproof-runner-")
    atexit.register(shutil.rmtree, folder)
    compile_sanitized(["-c", str(RUNNER), "-o", str(Path(folder) / "runner.o")])
    return Path(folder) / "runner.o"


def write_unit(here: Path, models: list[tuple[Program, MemoryPlan]]) -> str:
    """One file with the C of several models; their names get a prefix, everything else stays as generated."""
    parts = []
    for number, (program, plan) in enumerate(models):
        assert "model_run" in emit_header(program, plan, "0" * 16)
        text = emit_source(program, plan, "0" * 16)
        text = text.replace('#include "model_compiled.h"', _declarations(number, program))
        parts.append(re.sub(r"\b(op\d+\w*|state_\d+|model_run|model_reset)\b", rf"m{number}_\1", text))
    parts_of_kernels = re.findall(r"^#define [A-Z_]+$", "\n".join(parts), re.MULTILINE)  # before the first include
    path = here / "unit.c"
    path.write_text("\n".join([*sorted(set(parts_of_kernels)), "#include <stdint.h>", *parts]), encoding="utf-8")
    return str(path)


def translate_unit(unit: str, folders: Sequence[Path], instructions: InstructionSet = ARMV7EM) -> str:
    """The same unit with its headers in it and without assembly: a file that gcc takes as preprocessed."""
    command = [
        "gcc",
        "-E",
        "-std=c99",
        *(f"-I{folder}" for folder in folders),
        "-include",
        str(instructions.header),
        unit,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    path = Path(unit).with_suffix(".i")
    path.write_text(instructions.translate(done.stdout), encoding="utf-8")
    return str(path)


def _declarations(number: int, program: Program) -> str:
    names = ["model_run", *(["model_reset"] if program.initial else [])]
    return "\n".join(f"void m{number}_{name}(int8_t *arena);" for name in names)


def _tables(models: list[tuple[Program, MemoryPlan]], mve: bool) -> str:
    """What op_runner.h declares."""
    head = ['#include "op_runner.h"']
    rows: list[str] = []
    spans: dict[str, list[tuple[int, int]]] = {"gaps": [], "inputs": [], "outputs": [], "states": []}
    for number, (program, plan) in enumerate(models):
        head.append(_declarations(number, program))
        spans["gaps"] += _gaps(program, plan, mve)
        for role, indices in (
            ("inputs", [tensor.index for tensor in program.inputs]),
            ("outputs", [tensor.index for tensor in program.outputs]),
            ("states", list(program.initial)),
        ):
            spans[role] += [(plan.offsets[index], program.graph.tensors[index].bytes) for index in indices]
        reset = f"m{number}_model_reset" if program.initial else "0"
        ends = ", ".join(str(len(part)) for part in spans.values())
        rows.append(f"{{m{number}_model_run, {reset}, {plan.arena_bytes}, {ends}}},")
    head += ["const struct model models[] = {", *rows, "};", f"const size_t model_count = {len(models)};"]
    for role, parts in spans.items():
        numbers = "".join(f"{{{start}, {size}}}, " for start, size in parts)
        head.append(f"const struct span {role}[] = {{{numbers}{{0, 0}}}};")
    return "\n".join(head)
