# SPDX-License-Identifier: Apache-2.0
"""Writes the generated C. Nothing of it comes from names in the model, and the same model gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.c_text import banner, either, float_literal, struct_lines, table_lines
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import ARENA_ALIGNMENT, MemoryPlan
from tinyproof.export.ops.base import Call, Constant, MveForm, Op
from tinyproof.export.ops.control import Control
from tinyproof.export.ops.stripes import Stripes
from tinyproof.export.stripe_codegen import stripe_lines

ABI = 6
# Up to this many calls of a kernel are inlined, each with its own constants: fastest, and smallest for small models.
# Beyond it all of them call one shared copy, so that code does not grow with depth.
MAX_INLINED_CALLS = 4

FIRMWARE_NAME = "model"  # of the functions and macros that the firmware of this project calls


def emit_header(program: Program, plan: MemoryPlan, model_id: str) -> str:
    """model_compiled.h: what the engine needs to know of the model."""
    lines = [
        *banner(model_id),
        "#ifndef TINYPROOF_MODEL_COMPILED_H",
        "#define TINYPROOF_MODEL_COMPILED_H",
        "",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        f"#define MODEL_ABI {ABI}",
        f'#define MODEL_ID "{model_id}"',
        f"#define MODEL_ARENA_BYTES {plan.arena_bytes}",
        *end_macros("INPUT", program.inputs, plan),
        *end_macros("OUTPUT", program.outputs, plan),
        f"#define MODEL_STATE_BYTES {program.state_bytes}",
        "",
        f"/* One inference in `arena`: MODEL_ARENA_BYTES, aligned to {ARENA_ALIGNMENT}. Inputs may be overwritten. */",
        "void model_run(int8_t *arena);",
        *_reset_declaration(program),
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def end_macros(role: str, tensors: tuple[Tensor, ...], plan: MemoryPlan, name: str = FIRMWARE_NAME) -> list[str]:
    """Macros of all inputs or outputs: together, each by its number where there are several, the first without one."""
    start = f"#define {name.upper()}_"
    each = " ".join(f"tensor({', '.join(_end(tensor, plan).values())}, {tensor.dtype.upper()})" for tensor in tensors)
    named = [("", tensors[0])]
    if len(tensors) > 1:
        named += [(f"_{number}", tensor) for number, tensor in enumerate(tensors)]
    return [
        f"{start}{role}S {len(tensors)}",
        f"{start}{role}S_BYTES {sum(tensor.bytes for tensor in tensors)}",
        f"{start}FOR_EACH_{role}(tensor) {each}",
        *(
            f"{start}{role}{number}_{fact} {value}"
            for number, tensor in named
            for fact, value in _end(tensor, plan).items()
        ),
    ]


def _end(tensor: Tensor, plan: MemoryPlan) -> dict[str, str]:
    scale, zero_point = tensor.quantization
    return {
        "OFFSET": str(plan.offsets[tensor.index]),
        "BYTES": str(tensor.bytes),
        "SCALE": float_literal(scale),
        "ZERO_POINT": f"({zero_point})",
    }


def _reset_declaration(program: Program) -> list[str]:
    if not program.initial:
        return []
    return [
        "",
        "/* Sets the state to what it begins with; call it before the first inference. */",
        "void model_reset(int8_t *arena);",
    ]


@dataclass(frozen=True)
class Unit:
    """The C of a program, before anybody has decided who calls it: `declarations` are includes, shared kernels and
    constants; `steps` holds the kernel calls of each operator that has any, by its number in Program.ops. `tables` are
    the constants by their names; cores with MVE have `mve_tables` instead."""

    declarations: list[str]
    steps: dict[int, list[str]]
    tables: dict[str, Constant]
    mve_tables: dict[str, Constant]


def generate(program: Program, plan: MemoryPlan, *, prefix: str = "", place: str = "") -> Unit:
    """Tables and kernel calls of all operators, in their order. `prefix`: before the name of every table, for models
    that are compiled together; `place`: what stands behind it, such as an attribute that puts it into a section."""
    parts = {number: kernel_parts(number, op, prefix) for number, op in enumerate(program.ops) if op.kernel}
    every = [part for found in parts.values() for part in found]
    uses = Counter(part.op.kernel for part in every for _ in part.calls)
    shared = _shared(uses)
    everywhere = {part.op.kernel for part in every if not part.form}
    kernels = _includes(set(uses), everywhere, {part.form.kernel for part in every if part.form})
    moving = (
        ['#include "kernels/move_rows.h"'] if any(isinstance(op, Stripes) and op.moves for op in program.ops) else []
    )
    defined = sorted({macro for part in every for macro in part.op.kernel_macros})
    lines = [*(f"#define {macro}" for macro in defined), *moving, *kernels, *_abi_guard(bool(uses))]
    for kernel in shared:
        part = next(part for part in every if part.op.kernel == kernel)
        scratch = any(other.op.kernel == kernel and other.op.scratch_bytes for other in every)
        types = _argument_types(program, part, part.calls[0])
        copy = _shared_kernel(kernel, part.calls[0], types, scratch=scratch)
        lines += copy if kernel in everywhere else ["#if !KERNELS_MVE", *copy[:-1], "#endif", ""]
    for found in parts.values():
        for part in found:
            lines += _declarations(part, place)
    steps = _steps(program, plan, parts, shared)
    new = [part for part in every if not part.declared]
    tables = {name: table for part in new for name, table in _by_name(part.tables, part.constants).items()}
    mve_tables = {name: table for part in new for name, table in _by_name(part.tables, part.mve_constants).items()}
    return Unit(lines, steps, tables, mve_tables)


def print_calls(program: Program, plan: MemoryPlan) -> dict[int, list[str]]:
    """The kernel calls of each operator, as `generate` has them."""
    parts = {number: kernel_parts(number, op) for number, op in enumerate(program.ops) if op.kernel}
    uses = Counter(part.op.kernel for found in parts.values() for part in found for _ in part.calls)
    return _steps(program, plan, parts, _shared(uses))


def _shared(uses: Counter[str]) -> list[str]:
    return sorted(kernel for kernel, count in uses.items() if count > MAX_INLINED_CALLS)


def _steps(
    program: Program, plan: MemoryPlan, parts: dict[int, list[KernelPart]], shared: list[str]
) -> dict[int, list[str]]:
    steps: dict[int, list[str]] = {}
    for number, found in parts.items():
        op = program.ops[number]
        if isinstance(op, Stripes):
            steps[number] = stripe_lines(op, number, found, plan, shared)
            continue
        (part,) = found
        places = [_places(program, part, call, plan) for call in part.calls]
        scratch_place = f"arena + {plan.scratch[number]}" if op.working_bytes else "0"
        steps[number] = call_lines(part, places, scratch_place, shared)
    for number, op in enumerate(program.ops):
        if isinstance(op, Control):
            steps[number] = [op.statement(plan.offsets.__getitem__)]
    return dict(sorted(steps.items()))


def _by_name(prefix: str, constants: Iterable[Constant]) -> dict[str, Constant]:
    return {f"{prefix}_{constant.suffix}": constant for constant in constants}


@dataclass(frozen=True)
class KernelPart:
    """Calls of one kernel. `tables`: the begin of their names; `struct`: the name of the parameters, and of several
    calls behind it the call's number. `declared`: whether the tables are there already."""

    op: Op
    tables: str
    struct: str
    calls: tuple[Call, ...]
    declared: bool = False

    @cached_property
    def constants(self) -> list[Constant]:
        """The operator's tables."""
        return self.op.constants()

    @cached_property
    def form(self) -> MveForm | None:
        """What stands instead on cores with MVE."""
        return self.op.mve

    @property
    def mve_constants(self) -> Iterable[Constant]:
        """The tables on cores with MVE."""
        return self.form.constants if self.form else self.constants


def kernel_parts(number: int, op: Op, prefix: str = "") -> list[KernelPart]:
    """One, or of operators that take turns one for each form of each. `prefix`: as in `generate`."""
    named = f"{prefix}op{number}"
    if not isinstance(op, Stripes):
        return [KernelPart(op, named, named, tuple(op.calls(named)))]
    found = []
    for member, forms in enumerate(op.parts):
        tables = f"{named}_{member}"
        for place, form in enumerate(forms.values()):
            struct = f"{tables}_rows{place}"
            found.append(KernelPart(form, tables, struct, tuple(form.calls(tables)), declared=place > 0))
    return found


def _declarations(part: KernelPart, place_macro: str) -> list[str]:
    """Tables and parameter structs, for cores with MVE others."""
    op, count = part.op, len(part.calls)
    tables = [] if part.declared else part.constants
    lines = [line for constant in tables for line in table_lines(part.tables, constant, place_macro)]
    for place, call in enumerate(part.calls):
        lines += [
            *struct_lines(op.kernel, part.struct if count == 1 else f"{part.struct}_{place}", call.parameters),
            "",
        ]
    if not (form := part.form):
        return lines
    for_mve = (
        []
        if part.declared
        else [line for constant in form.constants for line in table_lines(part.tables, constant, place_macro)]
    )
    for_mve += struct_lines(form.struct, part.struct, form.parameters(part.tables))
    return [*either(for_mve, lines[:-1]), ""]


def call_lines(
    part: KernelPart, places: list[list[str]], scratch: str, shared: list[str], indent: str = "    "
) -> list[str]:
    """The calls of a part, of which each has its `places`; `scratch`: what its kernel works in, if it does."""
    op, lines = part.op, []
    function = f"{op.kernel}_shared" if op.kernel in shared else op.kernel
    for number, arguments in enumerate(places):
        struct = part.struct if len(places) == 1 else f"{part.struct}_{number}"
        given = [*arguments, scratch] if op.scratch_bytes else arguments
        lines.append(f"{indent}{function}({', '.join(given)}, &{struct});")
    if form := part.form:
        given = [*places[0], scratch if form.scratch_bytes else "0"]
        return either([f"{indent}{form.kernel}({', '.join(given)}, &{part.struct});"], lines)
    return lines


def _includes(kernels: set[str], everywhere: set[str], for_mve: set[str]) -> list[str]:
    """`everywhere`: those that are called whether the core has MVE or not; the others have a form of `for_mve`."""
    always, plain, mve = (
        [f'#include "kernels/{kernel}.h"' for kernel in sorted(names)]
        for names in (everywhere, kernels - everywhere, for_mve)
    )
    if mve:
        always = ['#include "kernels/mve_tables.h"', *always, *either(mve, plain)]
    return [*always, ""]


def _places(program: Program, part: KernelPart, call: Call, plan: MemoryPlan) -> list[str]:
    """The C arguments of a call, the parameter struct and the scratch left out."""
    types = _argument_types(program, part, call)
    return [_place(argument, kind, plan) for argument, kind in zip(_arguments(call), types, strict=True)]


def _argument_types(program: Program, part: KernelPart, call: Call) -> list[str]:
    """C element type of each argument of a call, the parameter struct and the scratch left out."""
    if part.op.moves_bytes:
        return ["int8_t"] * len(_arguments(call))
    types = {f"{part.tables}_{table.suffix}": table.ctype for table in part.constants}
    return [
        types[argument] if isinstance(argument, str) else DTYPES[program.graph.tensors[argument].dtype].c_type
        for argument in _arguments(call)
    ]


def _arguments(call: Call) -> tuple[int | str, ...]:
    return (*call.inputs, *call.outputs)


def _shared_kernel(kernel: str, call: Call, types: list[str], *, scratch: bool) -> list[str]:
    """One copy of a kernel that is called often."""
    inputs, outputs = _names("input", len(call.inputs)), _names("output", len(call.outputs))
    pointers = [f"const {kind} *{name}" for name, kind in zip(inputs, types, strict=False)]
    pointers += [f"{kind} *{name}" for name, kind in zip(outputs, types[len(inputs) :], strict=True)]
    if scratch:
        outputs.append("scratch")
        pointers.append("int8_t *scratch")
    return [
        f"#ifndef SHARED_{kernel}  /* models that are compiled as one file have one copy */",
        f"#define SHARED_{kernel}",
        f"static KERNEL_NOINLINE void {kernel}_shared(",
        f"    {', '.join(pointers)}, const struct {kernel} *p) {{",
        f"    {kernel}({', '.join((*inputs, *outputs))}, p);",
        "}",
        "#endif",
        "",
    ]


def emit_source(program: Program, plan: MemoryPlan, model_id: str, unit: Unit | None = None) -> str:
    """model_compiled.c: everything one after the other in `model_run`. `unit`: what `generate` made of the program."""
    unit = unit or generate(program, plan)
    body = [line for lines in unit.steps.values() for line in lines]
    lines = [*banner(model_id), '#include "model_compiled.h"', "", *unit.declarations]
    lines += ["void model_run(int8_t *arena) {", *(body or ["    (void)arena;"]), "}", *emit_reset(program, plan)]
    return "\n".join(lines) + "\n"


def emit_reset(program: Program, plan: MemoryPlan) -> list[str]:
    """`model_reset`, where there is a state."""
    if not program.initial:
        return []
    tables, body = reset_statements(program, plan)
    return ["", *tables, "void model_reset(int8_t *arena) {", *body, "}"]


def reset_statements(
    program: Program, plan: MemoryPlan, prefix: str = "", place: str = ""
) -> tuple[list[str], list[str]]:
    """Tables, and what sets the state in `arena`: bytes that are all alike are set, others are copied from a table.
    `prefix`, `place`: as in `generate`."""
    tables: list[str] = []
    body: list[str] = []
    for number, (index, content) in enumerate(program.initial.items()):
        offset, size = plan.offsets[index], len(content)
        loop = f"    for (uint32_t i = 0; i < {size}; i++)"
        if len(set(content)) <= 1:
            value = content[0] - 256 * (content[0] > 127) if content else 0
            body += [loop, f"        arena[{offset} + i] = {value};"]
            continue
        tables += table_lines(f"{prefix}state", Constant(f"{number}", "int8_t", unpack(content, "int8")), place)
        body += [loop, f"        arena[{offset} + i] = {prefix}state_{number}[i];"]
    return tables, body


def _names(role: str, count: int) -> list[str]:
    return [role] if count == 1 else [f"{role}{number}" for number in range(1, count + 1)]


def _place(argument: int | str, kind: str, plan: MemoryPlan) -> str:
    if isinstance(argument, str):
        return argument
    place = f"arena + {plan.offsets[argument]}"
    return place if kind == "int8_t" else f"({kind} *)(void *)({place})"


def _abi_guard(has_kernels: bool) -> list[str]:
    if not has_kernels:
        return []
    return [
        f"#if KERNELS_ABI != {ABI}",
        '#error "these kernels are another version\'s: run ./tinyproof export again"',
        "#endif",
        "",
    ]
