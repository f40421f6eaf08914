# SPDX-License-Identifier: Apache-2.0
"""The C of an engine as it is run here: a function for each operator, and its constants where they can be changed.

The generated code and the kernels are those of a board; assembly is translated to C (assembly.py). Constants lose their
`const` and stand in a file of their own: what is left compiles in a moment, and is compiled anew for each kernel that
is changed.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.paths import FIRMWARE
from tinyproof.export.codegen import Unit, emit_reset
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.stripes import Stripes
from tinyproof.export.profile_codegen import ProfiledOperator, probe_tables, written_parts
from tinyproof.faults.native.armv7em import ARMV7EM
from tinyproof.faults.native.armv8m_mve import ARMV8M_MVE

ENGINE = FIRMWARE / "lib" / "engine"
HERE = Path(__file__).parent
SYSTEM = HERE / "system"  # headers instead of the machine's
VECTORS = "kernels_mve"  # kernels of this folder have tables of their own
INSTRUCTIONS = {VECTORS: ARMV8M_MVE, "kernels_dsp": ARMV7EM}  # of the folders whose kernels are translated

_TABLE = re.compile(
    r"static (?:KERNEL_TABLE|const) (u?int(?:8|16|32|64)_t) (\w+)\[(\d+)\](?: KERNEL_ALIGNED\(\d+\))? = \{[^{}]*\};"
)
_PARAMETERS = re.compile(r"static const struct (\w+) (\w+) = \{")
_STRUCT = re.compile(r"\bstruct (\w+) \{([^{}]*)\}")
_MEMBER = re.compile(r"\s*(?:(const|struct) )?(\w+) ([^;]+);")


@dataclass(frozen=True)
class Region:
    """Bytes that a fault may change: a table of the engine, or a number in an operator's parameters. `operator`: its
    number in the C; `name`: as in the C; `element_bytes`: of one number."""

    operator: int
    name: str
    element_bytes: int
    content: bytes

    @property
    def is_parameter(self) -> bool:
        """Whether it is a member of a parameter struct."""
        return "." in self.name


def engine_source(program: Program, plan: MemoryPlan, unit: Unit, *, loose: bool = False) -> str:
    """The C before its preprocessor: all but the tables. `loose`: parameters can be changed, too, and the compiler
    folds none of them into code."""
    declarations = _TABLE.sub(r"extern const \1 \2[\3];", "\n".join(unit.declarations))
    if loose:
        declarations = _PARAMETERS.sub(r"struct \1 \2 = {", declarations)
    lines = ['#include "runner.h"', declarations]
    for number, calls in unit.steps.items():
        lines += [f"static void step{number}(int8_t *arena) {{", *calls, "}"]
    reset = emit_reset(program, plan)
    lines += [*reset, "void model_begin(int8_t *arena) {", f"    {'model_reset' if reset else '(void)'}(arena);", "}"]
    return "\n".join(lines) + "\n"


def model_source(program: Program, plan: MemoryPlan, unit: Unit, operators: Sequence[ProfiledOperator] = ()) -> str:
    """What runner.h declares of the model, behind the engine's C. `operators`: of the build, where the program and its
    plan are the build's: then each runs alone, too."""
    tensors = program.graph.tensors
    steps = ", ".join(f"step{number}" for number in unit.steps)
    digests = [
        (place, plan.offsets[part.index], tensors[part.index].bytes)
        for place, number in enumerate(unit.steps)
        for part in written_parts(program, number)
    ]
    spans = {
        "inputs": [(0, plan.offsets[tensor.index], tensor.bytes) for tensor in program.inputs],
        "outputs": [(0, plan.offsets[tensor.index], tensor.bytes) for tensor in program.outputs],
        "digests": digests,
    }
    lines = [f"const step_function model_steps[] = {{{steps}}};"]
    for role, rows in spans.items():
        numbers = "".join(f"{{{', '.join(map(str, row))}}}, " for row in rows)
        lines += [
            f"const struct span model_{role}[] = {{{numbers}{{0, 0, 0}}}};",
            f"const uint32_t model_{role.removesuffix('s')}_count = {len(rows)};",
        ]
    lines += probe_tables([operator.probe for operator in operators] or [""] * len(unit.steps))
    lines.append(f"const uint32_t model_step_count = {len(unit.steps)}, model_arena_bytes = {plan.arena_bytes};")
    return "\n".join(lines) + "\n"


def runs_vectors(op: Op) -> bool:
    """Whether an operator has a kernel for MVE, or one of those does that take turns in it."""
    own = {path.stem for path in (ENGINE / VECTORS / "kernels").iterdir()}
    forms = [form for part in op.parts for form in part.values()] if isinstance(op, Stripes) else [op]
    return any(form.mve or form.kernel in own for form in forms)


def tables_of(unit: Unit, kernels: Sequence[str]) -> dict[str, Constant]:
    """Those that are compiled with these folders of kernels."""
    return unit.mve_tables if VECTORS in kernels else unit.tables


def table_source(tables: Mapping[str, Constant]) -> str:
    """All tables, which can be changed; aligned as any kernel may want it."""
    lines = ["#include <stdint.h>"]
    for name, table in tables.items():
        values = ", ".join(map(_literal, table.values))
        lines.append(f"{table.ctype} {name}[{len(table.values)}] __attribute__((aligned(16))) = {{{values}}};")
    return "\n".join(lines) + "\n"


def _literal(value: int) -> str:
    return f"({value + 1} - 1)" if value in (-(2**31), -(2**63)) else str(value)


def preprocess(
    source: str,
    folder: Path,
    kernels: Sequence[str],
    engine: Path = ENGINE,
    *,
    lines: bool = False,
    more: Sequence[Path] = (),
) -> str:
    """`source` with its headers in it and without assembly. `kernels`: folders of `engine` that come before the
    portable ones; `lines`: whether it says where each line comes from; `more`: folders with headers."""
    file = folder / "engine.c"
    file.write_text(source, encoding="utf-8", newline="\n")
    includes = [f"-I{path}" for path in (SYSTEM, *(engine / name for name in kernels), engine, HERE, *more)]
    instructions = next((own for name, own in INSTRUCTIONS.items() if name in kernels), None)
    machine = ["-include", str(instructions.header)] if instructions else []
    command = ["gcc", "-E", *([] if lines else ["-P"]), "-std=gnu99", *includes, *machine, str(file)]
    text = run_gcc(command)
    return instructions.translate(text) if instructions else text


def parameter_regions(text: str) -> list[tuple[str, str]]:
    """Of preprocessed C, all numbers in the parameters of operators: how C names them, and their type."""
    members = {name: _members(body) for name, body in _STRUCT.findall(text)}
    found: list[tuple[str, str]] = []
    for kind, name in re.findall(r"^struct (\w+) (op\w+) = \{", text, re.MULTILINE):
        found += _leaves(name, kind, members)
    return found


def _members(body: str) -> list[tuple[str, str, bool]]:
    """Type, name with brackets, and whether the type is a struct; pointers are no numbers."""
    found = []
    for prefix, kind, names in _MEMBER.findall(body):
        for name in names.split(","):
            if "*" not in name:
                found.append((kind, name.strip(), prefix == "struct"))
    return found


def _leaves(path: str, kind: str, members: dict[str, list[tuple[str, str, bool]]]) -> Iterable[tuple[str, str]]:
    for inner, name, is_struct in members.get(kind, []):
        base, _, count = name.partition("[")
        places = [f"{path}.{base}"]
        if count:
            places = [f"{path}.{base}[{i}]" for i in range(int(count.rstrip("]")))] if count[:-1].isdigit() else []
        for place in places:
            if is_struct:
                yield from _leaves(place, inner, members)
            else:
                yield place, inner


def region_source(tables: Iterable[str], parameters: Iterable[str]) -> str:
    """The list of what can be changed, behind all else."""
    names = [*tables, *parameters]
    rows = "".join(f"    {{(unsigned char *)&{name}, sizeof {name}}},\n" for name in names)
    return f"const struct region regions[] = {{\n{rows}    {{0, 0}},\n}};\n"


def run_gcc(command: list[str], folder: Path | None = None) -> str:
    """What it prints, run in `folder`. Raises EnvironmentFaultError without it, GccRefusedError where it refuses its
    work."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=folder)
    except FileNotFoundError:
        raise EnvironmentFaultError("gcc is missing; install it: sudo apt-get install gcc") from None
    if done.returncode != 0:
        raise GccRefusedError(done.stderr[-300:])
    return done.stdout


class GccRefusedError(Exception):
    """The C is none."""
