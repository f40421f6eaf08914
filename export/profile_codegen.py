# SPDX-License-Identifier: Apache-2.0
"""The generated C dealt out to one function for each operator, so that a board can time and check them one by one.

The tables are taken from model_compiled.c as it lies there, and its calls are compared first: what is measured is what
ships, also where a weight in it is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.paths import shown
from tinyproof.core.tflite.layer_probes import LayerProbe
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.c_text import banner
from tinyproof.export.codegen import Unit, emit_reset
from tinyproof.export.compiled import Compiled, read_compiled, read_lowered
from tinyproof.export.layer_probes import layer_probes
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.constant_output import ConstantOutput
from tinyproof.export.ops.lift import Lift

FOLDER = "profile"
SOURCE, HEADER = "model_profile.c", "model_profile.h"
_INCLUDE = '#include "model_compiled.h"'
CALLS = "\nvoid model_run("  # where model_compiled.c's tables end


@dataclass(frozen=True)
class ProfiledOperator:
    """An operator that has something to do on the device. `index` is its number in the .tflite, `number` in the C.

    `output` is the shape of its first output; `parts` are what it computes of the .tflite's tensors: all its outputs
    that have their values once it has run. `probe`: how it is run alone, or why it is not.
    """

    number: int
    index: int
    name: str
    macs: int
    output: list[int]
    parts: tuple[TensorPart, ...]
    probe: LayerProbe | str

    @property
    def function(self) -> str:
        """The C function that runs it."""
        return _function(self.number)


def can_be_profiled(build_dir: Path) -> bool:
    """Whether the model runs operators on the device, and these one after the other."""
    program = read_lowered(build_dir)
    return not program.branches and any(op.kernel for op in program.ops)


def write_profile(build_dir: Path) -> list[ProfiledOperator]:
    """Writes model_profile.c/.h to build_dir/profile/; returns the operators in their order.

    Raises UsageError for a model without operators or with control flow, and where model_compiled.c is not of it.
    """
    compiled = read_compiled(build_dir, since=CALLS)
    program, plan, unit = compiled.program, compiled.plan, compiled.unit
    if program.branches:
        raise UsageError(f"{shown(build_dir)}: the model has IF or WHILE, whose operators do not run in turn")
    if not unit.steps:
        raise UsageError(f"{shown(build_dir)}: the model does nothing on the device; there is nothing to profile")
    operators = profiled_operators(build_dir, compiled)
    outputs = _outputs(program, plan, operators)
    folder = build_dir / FOLDER
    # Several boards may be built from it side by side.
    tables = compiled.source.partition(CALLS)[0]
    write_at_once(folder / SOURCE, _source(tables, unit, outputs, operators, emit_reset(program, plan)))
    write_at_once(folder / HEADER, _header(len(unit.steps), len(outputs), compiled.identity))
    return operators


def _operator(program: Program, number: int, probe: LayerProbe | str) -> ProfiledOperator:
    op = program.ops[number]
    shape = list(program.graph.tensors[op.outputs[0]].shape)
    return ProfiledOperator(number, op.operator.index, op.name, op.macs, shape, written_parts(program, number), probe)


def written_parts(program: Program, number: int) -> tuple[TensorPart, ...]:
    """What an operator computes of the .tflite's tensors: all its outputs that have their values once it has run."""
    op, tensors = program.ops[number], program.graph.tensors
    made = tuple(index for index in op.outputs if index not in op.inputs and not tensors[index].is_variable)
    if isinstance(op, (ConstantOutput, Lift)):
        made = ()  # its tensor is none of the .tflite's
    return tuple(program.parts.get(index, TensorPart(index)) for index in made)


def profiled_operators(build_dir: Path, compiled: Compiled) -> list[ProfiledOperator]:
    """The operators that run, in their order."""
    numbers = list(compiled.unit.steps)
    original = read_graph(read_file(build_dir / "model.tflite"))
    probes = layer_probes(original, compiled.program, compiled.plan, numbers)
    return [_operator(compiled.program, number, probe) for number, probe in zip(numbers, probes, strict=True)]


def _outputs(program: Program, plan: MemoryPlan, operators: list[ProfiledOperator]) -> list[str]:
    """A row of the C table for each tensor that a step writes."""
    return [
        f"    {{{place}, {plan.offsets[part.index]}, {program.graph.tensors[part.index].bytes}}},"
        for place, operator in enumerate(operators)
        for part in operator.parts
    ]


def probe_tables(of_steps: Sequence[LayerProbe | str]) -> list[str]:
    """C tables of how each step is run alone."""
    probes: list[str] = []
    inputs: list[str] = []
    given = bytearray()
    for of_step in of_steps:
        probe = of_step if isinstance(of_step, LayerProbe) else LayerProbe((), (), (0, 0), 0)
        first, end = probe.window
        numbers = [len(inputs), len(probe.inputs), *probe.scratch, probe.trials, first, end - first]
        numbers += [len(given), len(probe.given), probe.pairs]
        given += b"".join(probe.given)
        probes.append(f"    {{{', '.join(map(str, numbers))}}},")
        inputs += [
            f"    {{{one.offset}, {one.bytes // one.element_bytes}, {one.zero_point}, {one.element_bytes}}},"
            for one in probe.inputs
        ]
    chosen = [str((byte ^ 128) - 128) for byte in (*given, 0)]
    return [
        f"const struct probe model_probes[{len(of_steps)}] = {{",
        *probes,
        "};",
        f"const struct probe_input model_probe_inputs[{len(inputs)} + 1] = {{",
        *inputs,
        "    {0, 0, 0, 0},",
        "};",
        f"const int8_t model_probe_given[{len(given)} + 1] = {{{', '.join(chosen)}}};",
    ]


def _source(tables: str, unit: Unit, outputs: list[str], operators: list[ProfiledOperator], reset: list[str]) -> str:
    lines = tables.replace(_INCLUDE, f'{_INCLUDE}\n#include "model_profile.h"', 1).splitlines()
    for number, calls in unit.steps.items():
        lines += [f"static void {_function(number)}(int8_t *arena) {{", *calls, "}", ""]
    names = ", ".join(map(_function, unit.steps))
    lines += [
        "static void step_empty(int8_t *arena) {\n    (void)arena;\n}",
        "",
        f"void (*const model_steps[MODEL_STEPS + 1])(int8_t *arena) = {{{names}, step_empty}};",
        "",
        "const struct model_step_output model_step_outputs[MODEL_STEP_OUTPUTS] = {",
        *outputs,
        "};",
        "",
        *probe_tables([operator.probe for operator in operators]),
        *reset,
    ]
    return "\n".join(lines) + "\n"


def _function(number: int) -> str:
    return f"step{number}"


def _header(steps: int, outputs: int, identity: str) -> str:
    return "\n".join(
        [
            *banner(identity),
            "#ifndef TINYPROOF_MODEL_PROFILE_H",
            "#define TINYPROOF_MODEL_PROFILE_H",
            "",
            "#include <stdint.h>",
            "",
            '#include "probe.h"',
            "",
            f"#define MODEL_STEPS {steps}",
            f"#define MODEL_STEP_OUTPUTS {outputs}",
            "",
            "/* One operator each; the last does nothing. */",
            "extern void (*const model_steps[MODEL_STEPS + 1])(int8_t *arena);",
            "",
            "/* A tensor that a step writes, bytes in the arena; in the order of the steps. */",
            "struct model_step_output {",
            "    uint32_t step, offset, bytes;",
            "};",
            "extern const struct model_step_output model_step_outputs[MODEL_STEP_OUTPUTS];",
            "",
            "/* How each step is run alone. */",
            "extern const struct probe model_probes[];",
            "extern const struct probe_input model_probe_inputs[];",
            "extern const int8_t model_probe_given[];",
            "",
            "#endif",
            "",
        ]
    )
