# SPDX-License-Identifier: Apache-2.0
"""Runs the kernels of a build on unknown bytes: what each output byte is, as a form of the bytes before the operator.

The generated C, dealt out to a function for each operator, is compiled as C++ with the integers of machine/machine.h.
Tables are handed over as numbers, in the order in which they stand in the source; all else is compiled as it lies.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.paths import FIRMWARE
from tinyproof.prove.compilers import ask_compiler

MACHINE = Path(__file__).parent / "machine"
ENGINE = FIRMWARE / "lib" / "engine"
TIMEOUT_S = 900

# enum Tail of machine/records.h.
MOVED, RESCALED_PAIR, REQUANTIZED, ADDED, MULTIPLIED, AVERAGED, SOFTMAX_ROW = range(7)
PARAMETERS = 14

Integers = npt.NDArray[np.int64]

_TABLE = re.compile(
    r"static KERNEL_TABLE (u?int(?:8|16|32|64)_t) (\w+)\[(\d+)\](?: KERNEL_ALIGNED\(\d+\))? = \{([^{}]*)\};"
)
# Parameters are set one by one: C++ wants designators in the order of the members, C does not.
_STRUCT = re.compile(r"static const struct (\w+) (\w+) = \{\n((?:    \.\w+ = .*,\n)*)\};")
_MEMBER = re.compile(r"    \.(\w+) = (.*),\n")
_FLAGS = ("-std=gnu++20", "-O2", "-fno-strict-aliasing", "-w", "-DKERNELS_STRICT_C99")


@dataclass(frozen=True)
class StepForms:
    """The bytes of the arena that a step has changed, `addresses`, in their order. What byte k became: the sum of
    `coefficients` times the bytes at `places`, both from `starts[k]` to `starts[k + 1]`, and `constants[k]`; then
    what `tails[k]` names, with `parameters[k]`, and a clamp to `clamps[k]`."""

    addresses: Integers
    tails: Integers
    parameters: Integers
    clamps: Integers
    constants: Integers
    starts: Integers
    places: Integers
    coefficients: Integers


def run_machine(
    profile: Path, build_dir: Path, steps: int, engine: Path = ENGINE, *, timeout_s: float = TIMEOUT_S
) -> dict[int, StepForms | str]:
    """The forms of each step, or why it has none. `profile`: the folder with model_profile.c of a build; `steps`: how
    many it has; `engine`: where kernels/ are.

    Where the kernels are no C++, nothing is said of any step. Raises EnvironmentFaultError without a compiler."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = (profile / "model_profile.c").read_text(encoding="utf-8")
        unit, numbers = _unit(source, folder / "tables")
        numbers.tofile(folder / "tables")
        (folder / "unit.cpp").write_text(unit, encoding="utf-8", newline="\n")
        includes = [f"-I{path}" for path in (MACHINE, engine, build_dir, profile)]
        program = folder / "machine"
        if refused := _compile(["g++", *_FLAGS, *includes, str(folder / "unit.cpp"), "-o", str(program)]):
            return dict.fromkeys(range(steps), refused)
        try:
            done = subprocess.run(
                [program, folder], capture_output=True, text=True, errors="replace", check=False, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            return dict.fromkeys(range(steps), f"the run on unknown bytes takes more than {timeout_s:.0f} s")
        if done.returncode != 0:
            return dict.fromkeys(range(steps), f"the run on unknown bytes ended with {done.returncode}")
        stopped = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        found: dict[int, StepForms | str] = {}
        for step in range(steps):
            found[step] = stopped.get(str(step)) or _read(folder / f"step{step}")
        return found


def _compile(command: list[str]) -> str:
    """What the compiler refuses, or ""."""
    done = ask_compiler(command)
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    return f"a kernel of the model cannot be compiled as C++: {(errors or [done.stderr[-200:]])[0].rpartition('/')[2]}"


def _unit(source: str, tables: Path) -> tuple[str, Integers]:
    """The C++ of the machine, and the numbers of all tables one after the other."""
    numbers: list[int] = []

    def load(found: re.Match[str]) -> str:
        ctype, name, count, text = found.groups()
        values = [int(value) for value in text.split(",")]
        if len(values) != int(count):
            raise EnvironmentFaultError(f"table {name} has {len(values)} numbers instead of {count}; export again")
        start = len(numbers)
        numbers.extend(values)
        return f"static {ctype} *const {name} = load_table<{ctype}>({start}, {count});"

    def fill(found: re.Match[str]) -> str:
        kind, name, members = found.groups()
        statements = " ".join(f"set(s.{member}, {value});" for member, value in _MEMBER.findall(members))
        return f"static const struct {kind} {name} = [] {{ struct {kind} s = {{}}; {statements} return s; }}();"

    body = _STRUCT.sub(fill, _TABLE.sub(load, source))
    loader = (
        '#include "records.h"\n'
        "template <class T> static T *load_table(long start, long count) {\n"
        f'    FILE *file = std::fopen("{tables.as_posix()}", "rb");\n'
        "    std::vector<long long> numbers(count);\n"
        "    if (!file || std::fseek(file, 8 * start, SEEK_SET) ||\n"
        "        std::fread(numbers.data(), 8, numbers.size(), file) != numbers.size()) {\n"
        "        std::exit(2);\n"
        "    }\n"
        "    std::fclose(file);\n"
        "    T *table = new T[count];\n"
        "    std::copy(numbers.begin(), numbers.end(), table);\n"
        "    return table;\n"
        "}\n"
        "template <class T> static void set(T &member, std::type_identity_t<T> value) { member = value; }\n"
        "template <class T, std::size_t N>\n"
        "static void set(T (&member)[N], std::initializer_list<std::type_identity_t<T>> values) {\n"
        "    std::copy(values.begin(), values.end(), member);\n"
        "}\n"
    )
    return f'{loader}{body}\n#include "main.h"\n', np.array(numbers, np.int64)


def _read(file: Path) -> StepForms:
    content = file.read_bytes()
    cells, terms = (int(count) for count in np.frombuffer(content, np.int32, 2))
    head = np.frombuffer(content, np.int32, 3 * cells, 8).reshape(-1, 3).astype(np.int64)
    at = 8 + 12 * cells
    places = np.frombuffer(content, np.int32, terms, at).astype(np.int64)
    at += 4 * terms
    numbers = np.frombuffer(content, np.int64, cells * (PARAMETERS + 3), at).reshape(-1, PARAMETERS + 3)
    at += 8 * numbers.size
    coefficients = np.frombuffer(content, np.int64, terms, at)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(head[:, 2])])
    return StepForms(
        head[:, 0],
        head[:, 1],
        numbers[:, :PARAMETERS],
        numbers[:, PARAMETERS : PARAMETERS + 2],
        numbers[:, PARAMETERS + 2],
        starts,
        places,
        coefficients,
    )
