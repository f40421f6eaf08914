# SPDX-License-Identifier: Apache-2.0
"""The C of a library: one public header, the model, and its self-test. Tables and kernel calls are those of
model_compiled.c, under the library's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.c_text import banner, table_lines
from tinyproof.export.codegen import end_macros, generate, reset_statements
from tinyproof.export.libraries.checksum import emit_checksum
from tinyproof.export.libraries.ends import End, conversions, places
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.control import AGAIN, END, IF, LOOP

API = 1
ARENA_ALIGNMENT = 8  # of the widest element, int64; kernels that read whole words ask for less


@dataclass(frozen=True)
class Named:
    """A model under the name that its functions and macros begin with. `labels`: of its classes, none where unknown."""

    name: str
    identity: str
    program: Program
    plan: MemoryPlan
    labels: tuple[str, ...] = ()

    @property
    def macros(self) -> str:
        """What its macros begin with."""
        return self.name.upper()

    @property
    def prefix(self) -> str:
        """Of what is only seen inside its files."""
        return f"{self.name}_"

    @property
    def inputs(self) -> list[End]:
        """What it takes, in the model's order."""
        return self._ends("input", self.program.inputs)

    @property
    def outputs(self) -> list[End]:
        """What it answers, in the model's order."""
        return self._ends("output", self.program.outputs)

    def _ends(self, role: str, tensors: Sequence[Tensor]) -> list[End]:
        suffixes = [f"_{number}" for number in range(len(tensors))] if len(tensors) > 1 else [""]
        return [
            (f"{role}{suffix}", f"{self.macros}_{role.upper()}{suffix}", tensor)
            for suffix, tensor in zip(suffixes, tensors, strict=True)
        ]


def emit_public_header(model: Named, steps: int, vectors: int) -> str:
    """NAME.h: all that a firmware needs to know. C99, and C++."""
    name, macros, program, plan = model.name, model.macros, model.program, model.plan
    lines = [
        *banner(model.identity),
        f"#ifndef TINYPROOF_{macros}_H",
        f"#define TINYPROOF_{macros}_H",
        "",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        f'#define {macros}_MODEL_ID "{model.identity}"',
        f"#define {macros}_API {API} /* of the functions here: another number where a caller has to change */",
        "",
        "/* All the memory that the model works in. Each instance has its own, and two instances may run in two tasks:",
        f" *     static {macros}_ARENA(arena);",
        f" *     {name}_init(arena, sizeof arena);",
        f" * An attribute that places it, in tightly coupled or external memory, is -D{macros}_ARENA_PLACE=... */",
        f"#ifndef {macros}_ARENA_PLACE",
        f"#define {macros}_ARENA_PLACE",
        "#endif",
        f"#define {macros}_ARENA_BYTES {plan.arena_bytes}",
        "#ifdef __AVR__ /* loads a byte at a time */",
        f"#define {macros}_ARENA_ALIGNMENT 1",
        "#else",
        f"#define {macros}_ARENA_ALIGNMENT {ARENA_ALIGNMENT}",
        "#endif",
        f"#define {macros}_ARENA(arena) int64_t arena[({macros}_ARENA_BYTES + 7) / 8] {macros}_ARENA_PLACE",
        "",
        "/* Inputs and outputs, where they lie in the arena, and what they mean: real = scale * (q - zero point). */",
        *end_macros("INPUT", program.inputs, plan, name),
        *end_macros("OUTPUT", program.outputs, plan, name),
        f"#define {macros}_STATE_BYTES {program.state_bytes} /* of the arena live on between inferences */",
        f"#define {macros}_STEPS {steps}",
        f"#define {macros}_SELFTEST_VECTORS {vectors}",
        *_labels(model),
        "",
        f"/* What {name}_init answers. */",
        f"#define {macros}_OK 0",
        f"#define {macros}_ERROR_ARENA_TOO_SMALL (-1)",
        f"#define {macros}_ERROR_ARENA_MISALIGNED (-2)",
        "",
        "/* Once for each arena, before anything else: checks it, and sets the state. `bytes`: sizeof the arena. */",
        f"int {name}_init(void *arena, size_t bytes);",
        "",
        "/* One inference, from the inputs in the arena to the outputs in it. Inputs may be overwritten. */",
        f"void {name}_run(void *arena);",
        "",
        "/* The same, one operator at a time, so that others get their turn:",
        f" *     for (uint16_t step = 0; step < {macros}_STEPS; step++) {{",
        f" *         {name}_step(arena, step);",
        " *     }",
        " */",
        f"void {name}_step(void *arena, uint16_t step);",
        "",
        "/* The state as it was after init; nothing to do for a model without one. */",
        f"void {name}_reset(void *arena);",
        *_selftest_declaration(name, vectors),
        *places([*model.inputs, *model.outputs], name),
        *conversions(model.inputs, model.outputs, name),
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _labels(model: Named) -> list[str]:
    if not model.labels:
        return []
    words = ", ".join(f'"{label}"' for label in model.labels)  # check_labels: neither quote nor backslash
    return [f"#define {model.macros}_CLASSES {len(model.labels)}", f"#define {model.macros}_LABELS {{{words}}}"]


def _selftest_declaration(name: str, vectors: int) -> list[str]:
    if not vectors:
        return []
    return [
        "",
        f"/* Runs {vectors} vectors that are kept in flash with the bits that TFLite Micro answers. -1: all agree,",
        " * and the tables are as they were exported; else the number of the first vector that does not agree, or",
        f" * {name.upper()}_SELFTEST_VECTORS where it is only the tables. What was in the arena is lost; the state is",
        " * as after init. */",
        f"int32_t {name}_selftest(void *arena);",
        "/* Of the self-test: whether the checksum of all tables is right. */",
        f"int {name}_tables_intact(void);",
    ]


def emit_model(model: Named, *, selftest: bool) -> tuple[str, int]:
    """NAME.c, its includes as the firmware of this project writes them; and how many steps it has. `selftest`: with
    what that asks for."""
    name, program = model.name, model.program
    place = f"{model.macros}_WEIGHTS"
    unit = generate(program, model.plan, prefix=model.prefix, place=place)
    tables, reset = reset_statements(program, model.plan, model.prefix, place)
    steps = _steps(program, unit.steps)
    arena = "    int8_t *const arena = (int8_t *)memory;"
    unused = "    (void)memory;"
    lines = [
        *banner(model.identity),
        f'#include "{name}.h"',
        "",
        f"/* -D{place}='__attribute__((section(\"...\")))' places the weights. */",
        f"#ifndef {place}",
        f"#define {place}",
        "#endif",
        "",
        *unit.declarations,
        *tables,
        *([""] if tables else []),
        f"void {name}_run(void *memory) {{",
        *([arena, *(line for step in steps for line in step)] if steps else [unused]),
        "}",
        "",
        f"void {name}_step(void *memory, uint16_t step) {{",
        *_cases(steps, arena),
        "}",
        "",
        f"void {name}_reset(void *memory) {{",
        *([arena, *reset] if reset else [unused]),
        "}",
        "",
        f"int {name}_init(void *arena, size_t bytes) {{",
        f"    if (bytes < {model.macros}_ARENA_BYTES) {{",
        f"        return {model.macros}_ERROR_ARENA_TOO_SMALL;",
        "    }",
        f"    if ((uintptr_t)arena % {model.macros}_ARENA_ALIGNMENT != 0) {{",
        f"        return {model.macros}_ERROR_ARENA_MISALIGNED;",
        "    }",
        f"    {name}_reset(arena);",
        f"    return {model.macros}_OK;",
        "}",
        *(["", *emit_checksum(unit, name)] if selftest else []),
    ]
    return "\n".join(lines) + "\n", len(steps)


def _steps(program: Program, calls: dict[int, list[str]]) -> list[list[str]]:
    """The calls of each step: an operator's, or those of an IF or WHILE with all that is in it."""
    steps: list[list[str]] = []
    depth = 0
    for number, lines in calls.items():
        word = program.ops[number].operator.name
        if depth:
            steps[-1] += lines
        else:
            steps.append(list(lines))
        depth += (word in (IF, LOOP)) - (word in (END, AGAIN))
    return steps


def _cases(steps: Sequence[Sequence[str]], arena: str) -> list[str]:
    if not steps:
        return ["    (void)memory;", "    (void)step;"]
    lines = [arena, "    switch (step) {"]
    for number, step in enumerate(steps):
        lines += [f"    case {number}:", *(line if line.startswith("#") else f"    {line}" for line in step)]
        lines.append("        break;")
    return [*lines, "    default:", "        break;", "    }"]


def emit_selftest(model: Named, vectors: Sequence[tuple[bytes, bytes]]) -> str:
    """NAME_selftest.c. A vector: all inputs and all outputs, each after the other."""
    name, macros = model.name, model.macros
    asked = b"".join(x for x, _ in vectors)
    answered = b"".join(y for _, y in vectors)
    lines = [
        *banner(model.identity),
        '#include "kernels/compiler.h"',
        f'#include "{name}.h"',
        "",
        *table_lines(name, Constant("asked", "int8_t", unpack(asked, "int8"))),
        *table_lines(name, Constant("answers", "int8_t", unpack(answered, "int8"))),
        "",
        f"int32_t {name}_selftest(void *memory) {{",
        "    int8_t *const arena = (int8_t *)memory;",
        f"    KERNEL_TABLE int8_t *asked = {name}_asked;",
        f"    KERNEL_TABLE int8_t *answer = {name}_answers;",
        "    int32_t first = -1;",
        f"    {name}_reset(arena);",
        f"    for (int32_t vector = 0; vector < {macros}_SELFTEST_VECTORS && first < 0; vector++) {{",
        *(line for _, macro, _ in model.inputs for line in _each_byte(macro, "arena[{place}] = *asked++;")),
        f"        {name}_run(arena);",
        *(
            line
            for _, macro, _ in model.outputs
            for line in _each_byte(macro, "first = arena[{place}] == *answer++ ? first : vector;")
        ),
        "    }",
        f"    {name}_reset(arena);",
        f"    return first < 0 && !{name}_tables_intact() ? {macros}_SELFTEST_VECTORS : first;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _each_byte(macro: str, statement: str) -> list[str]:
    return [
        f"        for (uint32_t i = 0; i < {macro}_BYTES; i++) {{",
        f"            {statement.format(place=f'{macro}_OFFSET + i')}",
        "        }",
    ]
