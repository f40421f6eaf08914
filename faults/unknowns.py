# SPDX-License-Identifier: Apache-2.0
"""Runs an engine on unknown bytes, with a board's own kernels: by which operations each byte comes from which others.

native/unknown.h says how. Two engines of which a step ends with the same digest answer alike there for every input.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.faults.native.source import HERE

LANES = ("least_bytes", "greatest_bytes")  # functions of kernels_dsp/ that take four bytes each for itself
# Of native/armv7em.h those that add and multiply, and branch by addresses alone; all else there leaves a number in a
# register.
SUMS = frozenset(
    f"arm_{name}" for name in ("add", "sub", "signed", "bottom", "top", "smlad", "smlabb", "smlabt", "smlatt")
)
PATIENCE_S = 600  # at most; what it runs limits the time of a processor that it takes
LARGE_MACS = 5_000_000  # from here on the compiler's time is worth its while
NOTHING = "-"
PROGRAM = "unknown"  # in the folder where it is compiled
FLAGS = ("-std=gnu++20", "-fwrapv", "-fno-strict-aliasing", "-fpermissive", "-w", "-no-pie", "-fno-pie")

_NUMBER = r"(?:u?int(?:8|16|32|64)_t|uintptr_t|word|arm_register)"
# A function that takes numbers and returns one, up to its body.
_FUNCTION = re.compile(
    rf"^static (?:inline )?(?:__attribute__\(\([^\n]*?\)\) )?({_NUMBER}) (\w+)\(((?:{_NUMBER} \w+(?:,\s+)?)+)\) \{{",
    re.MULTILINE,
)
_ANY_FUNCTION = re.compile(
    r"^static [^;={}()]*(?:__attribute__\(\([^\n]*?\)\) )?[^;={}()]*?\b(\w+)\([^;{}]*\) \{\n?", re.MULTILINE
)
_MEMORY = re.compile(r"\)\s*at\b|->|\[|\*\(")  # what a function of numbers alone does not do
# The system's types, of which unknown.h has its own.
_TYPEDEF = re.compile(r"^typedef [^\n]*\b(?:__\w+|(?:u?int\w*|ptrdiff|size|max_align|wchar)_t);\n", re.MULTILINE)
_STRUCT = re.compile(r"^(?:static const )?struct (\w+) (\w+) = \{\n((?:    \.\w+ = .*,\n)*)\};", re.MULTILINE)
_MEMBER = re.compile(r"    \.(\w+) = (.*),\n")
_ENUM = re.compile(r"\benum \{[^{}]*\}")
_BRACE = re.compile(r"[{}]")
_TABLE = re.compile(r"^extern const ", re.MULTILINE)


class Unknowns:
    """Of one program. `numbers`: its operators that run, in their order; `tables`: what the engine is linked with."""

    def __init__(self, program: Program, plan: MemoryPlan, numbers: Sequence[int], tables: Path) -> None:
        self._program, self._plan, self._numbers, self._tables = program, plan, list(numbers), tables

    def compile(self, text: str, folder: Path, regions: Sequence[str] = ()) -> bool:
        """folder/PROGRAM from `text`: the preprocessed engine with a function for each operator; whether that is C++.
        `regions`: names of what can be changed, as its C calls it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "unknown.cpp").write_text(self._unit(text, regions), encoding="utf-8", newline="\n")
        flags = (*FLAGS, "-O1" if self._program.macs > LARGE_MACS else "-O0")
        command = ["g++", *flags, f"-I{HERE}", str(folder / "unknown.cpp"), str(self._tables)]
        (folder / PROGRAM).unlink(missing_ok=True)
        try:
            done = subprocess.run([*command, "-o", str(folder / PROGRAM)], capture_output=True, check=False)
        except FileNotFoundError:
            return False
        return done.returncode == 0

    @staticmethod
    def run(folder: Path, places: Sequence[int], *, wraps: bool = False) -> list[str]:
        """Of the steps at `places` what is compiled in `folder` ends with, or why that says nothing, behind NOTHING;
        empty where it does not end. `wraps`: whether signed sums are known to wrap on the board."""
        command = [str(folder / PROGRAM), *(["wraps"] if wraps else []), *map(str, places)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return []
        lines = done.stdout.splitlines()
        return lines if done.returncode == 0 and len(lines) == len(places) else []

    @staticmethod
    def run_changed(folder: Path, line: str, *, wraps: bool = False) -> str:
        """Of the step that `line`, as runner.c takes it, names, with its changes."""
        command = [str(folder / PROGRAM), *(["wraps"] if wraps else []), "changes"]
        done = subprocess.run(command, input=line, capture_output=True, text=True, check=False)
        return done.stdout.strip() or NOTHING

    def _unit(self, text: str, regions: Sequence[str]) -> str:
        text = _opaque(_TYPEDEF.sub("", text))
        text = _TABLE.sub('extern "C" const ', _STRUCT.sub(_filled, text))
        rows = []
        for number in self._numbers:
            op, offsets = self._program.ops[number], self._plan.offsets
            places = [self._plan.scratch[number] if op.working_bytes else 0, op.working_bytes]
            for indices in (op.inputs, op.outputs):
                alone = [(offsets[one], self._program.graph.tensors[one].bytes) for one in dict.fromkeys(indices)]
                places += alone[0] if len(alone) == 1 else (0, 0)
            rows.append(f"{{step{number}, {', '.join(map(str, places))}}}")
        changeable = "".join(f"{{(unsigned char *)&{name}, sizeof {name}}}, " for name in regions)
        arena = self._plan.arena_bytes
        return "\n".join(
            [
                '#include "unknown.h"',
                text,
                f"static unsigned char memory[{arena} + 2 * BESIDE] __attribute__((aligned(4096)));",
                f"static const Step all_steps[] = {{{', '.join(rows)}}};",
                f"static const Region all_regions[] = {{{changeable}{{0, 0}}}};",
                "int main(int count, char **given) {",
                f"    return run_on_low_stack(count, given, memory, {arena}, all_steps, {len(rows)}, all_regions);",
                "}",
                "",
            ]
        )


def _filled(found: re.Match[str]) -> str:
    kind, name, members = found.groups()
    statements = " ".join(f"set(s.{member}, {value});" for member, value in _MEMBER.findall(members))
    return f"static struct {kind} {name} = [] {{ struct {kind} s = {{}}; {statements} return s; }}();"


def functions_of(text: str) -> tuple[dict[str, str], str]:
    """The text of each function of preprocessed C by its name, and all that is in none."""
    found: dict[str, str] = {}
    rest, at = [], 0
    for match in _ANY_FUNCTION.finditer(text):
        if match.start() < at:
            continue
        end = _body_end(text, match.end())
        found[match[1]] = text[match.start() : end]
        rest.append(text[at : match.start()])
        at = end
    return found, "".join([*rest, text[at:]])


def closure_of(name: str, bodies: dict[str, str]) -> str:
    """The text of a function, and of all that it may call."""
    return "\0".join(_closure(name, bodies))


def _opaque(text: str) -> str:
    """Functions of numbers alone may branch on what they get: of unknown bytes they are an operation of their own,
    named by the text of all that they are made of."""
    enums = "".join(_ENUM.findall(text))
    found = [(match, _body_end(text, match.end())) for match in _FUNCTION.finditer(text)]
    bodies = {match[2]: text[match.start() : end] for match, end in found}
    pure = {name for name, body in bodies.items() if not _MEMORY.search(body)}
    parts, at = [], 0
    for match, end in found:
        kind, name, parameters = match.groups()
        if name not in pure or name in SUMS:
            continue
        forms = ", ".join([kind, *(str(one).lower() for one in (name in LANES, kind == "arm_register"))])
        names = [parameter.split()[-1] for parameter in parameters.split(",")]
        code = hashlib.sha256("\0".join([enums, *_closure(name, bodies)]).encode()).hexdigest()[:15]
        renamed = text[match.start() : end].replace(f" {name}(", f" {name}_of_numbers(", 1)
        parts += [
            text[at : match.start()],
            renamed,
            f"\nstatic inline {kind} {name}({parameters}) {{ return any_unknown({', '.join(names)}) ? "
            f"opaque<{forms}>(0x{code}ULL, {name}_of_numbers, "
            f"{', '.join(names)}) : {name}_of_numbers({', '.join(names)}); }}\n",
        ]
        at = end
    return "".join([*parts, text[at:]])


def _closure(name: str, bodies: dict[str, str]) -> list[str]:
    found, open_ = [], [name]
    seen: set[str] = set()
    while open_:
        one = open_.pop()
        if one in seen:
            continue
        seen.add(one)
        found.append(bodies[one])
        open_ += sorted((set(re.findall(r"\w+", bodies[one])) & bodies.keys()) - seen)
    return found


def _body_end(text: str, start: int) -> int:
    """Behind the brace that closes what was opened before `start`."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.end()
    return len(text)
