# SPDX-License-Identifier: Apache-2.0
"""Compiles an engine for this machine and asks it a build's vectors, with one fault after the other."""

from __future__ import annotations

import signal
import struct
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.processors import usable_processors
from tinyproof.core.tflite.layer_probes import SEED
from tinyproof.export.codegen import Unit
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.profile_codegen import ProfiledOperator
from tinyproof.faults.native.lines import executed_lines
from tinyproof.faults.native.source import (
    ENGINE,
    HERE,
    VECTORS,
    Region,
    engine_source,
    model_source,
    parameter_regions,
    preprocess,
    region_source,
    run_gcc,
    runs_vectors,
    table_source,
    tables_of,
)

_SIZES = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "int64_t": 8}
# Shifts by 32 bits and more are stopped: cores differ in what they make of them, and the board itself has to be asked.
SHIFTS = ("-fsanitize=shift-exponent", "-fsanitize-undefined-trap-on-error")
FLAGS = (
    "-std=gnu99",
    "-Werror=shift-count-overflow",
    "-fwrapv",
    "-fno-strict-aliasing",
    *SHIFTS,
    f"-I{HERE}",
    f"-I{ENGINE}",
)
RUNNER = "runner.c"
# What is compiled once is to run fast. What is compiled for one fault runs once, and seldom to the end.
FAST = ("-O2",)
LARGE_MACS = 100_000_000  # of all vectors: from here on the compiler's time is worth its while
OTHER, OTHER_LARGE = ("-O0",), ("-O1",)
LAYER_TRIALS = 48
SLOWER = 12  # times, at most, that the latter take as long, and what counts lines


@dataclass(frozen=True)
class Questions:
    """What a check asks. `digests`: of each traced vector, in the order of the vectors, the CRC-32 of every tensor that
    a step writes; `traced`: of each vector, whether these are compared. `sequence`: the vectors are consecutive.
    `operators`: of the steps, none where nothing but answers is compared; `alone`: of each the digest of its probes."""

    inputs: Sequence[bytes]
    outputs: Sequence[bytes]
    traced: Sequence[bool]
    digests: Sequence[Sequence[int]]
    sequence: bool
    operators: Sequence[ProfiledOperator] = ()
    alone: Sequence[int] = ()

    def pack(self, steps: int) -> bytes:
        """As runner.c reads it, of so many steps."""
        numbers = [number for row in self.digests for number in row]
        return b"".join(
            [
                struct.pack("<4I", len(self.inputs), self.sequence, len(self.digests), SEED),
                struct.pack(f"<{steps}I", *(self.alone or [0] * steps)),
                struct.pack(f"<{len(numbers)}I", *numbers),
                bytes(self.traced),
                *self.inputs,
                *self.outputs,
            ]
        )


@dataclass(frozen=True)
class ByteChange:
    """`content` stands at byte `offset` of region number `region`."""

    region: int
    offset: int
    content: bytes


@dataclass(frozen=True)
class Seen:
    """What the questions showed: the first vector whose output is wrong, the first with a wrong digest and the operator
    (by its place among the steps) in which that begins; the first operator that shows it when it runs alone; None for
    none. `stopped`: it crashed, or did not end.
    `undefined`: it did what only the board can say the end of."""

    by_output: int | None = None
    by_digest: int | None = None
    digest_step: int | None = None
    alone_step: int | None = None
    stopped: bool = False
    undefined: bool = False

    @property
    def found(self) -> bool:
        """Whether a check ends with anything but a proof."""
        return self.stopped or any(one is not None for one in (self.by_output, self.by_digest, self.alone_step))


class NativeEngine:
    """Compiled in `folder` from a program and its plan. `kernels`: the board's folders of kernels.

    Raises EnvironmentFaultError without gcc."""

    def __init__(
        self, program: Program, plan: MemoryPlan, unit: Unit, folder: Path, kernels: Sequence[str], questions: Questions
    ) -> None:
        self._program, self._plan, self._unit = program, plan, unit
        self._operators = questions.operators
        self._folder, self._kernels = folder, kernels
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vectors").write_bytes(questions.pack(len(unit.steps)))
        run_gcc(["gcc", *FLAGS, *FAST, "-c", str(HERE / RUNNER), "-o", str(folder / "runner.o")])
        self.steps = list(unit.steps)
        self._vectors = len(questions.inputs)
        self._flags = OTHER if program.macs * len(questions.inputs) < LARGE_MACS else OTHER_LARGE
        self.limit_us = self._other_limit_us = 0
        self.regions = self._compile_sound()

    def _compile_sound(self) -> list[Region]:
        folder = self._folder
        tables = tables_of(self._unit, self._kernels)
        self._compile_tables(self._unit, folder)
        text = preprocess(engine_source(self._program, self._plan, self._unit, loose=True), folder, self._kernels)
        parameters = [(name, _SIZES[kind]) for name, kind in parameter_regions(text) if kind in _SIZES]
        names = [name for name, _ in parameters]
        self._link(folder, text, region_source(tables, names), self._model())
        found = [
            Region(_operator(name), name, table.element_bytes, packed(table.values, table.ctype))
            for name, table in tables.items()
        ]
        contents = self._read_regions(len(found), [size for _, size in parameters])
        return found + [
            Region(_operator(name), name, size, content)
            for (name, size), content in zip(parameters, contents, strict=True)
        ]

    def _model(self) -> str:
        return model_source(self._program, self._plan, self._unit, self._operators)

    def _read_regions(self, first: int, sizes: list[int]) -> list[bytes]:
        done = subprocess.run(
            [self._folder / "native", self._folder / "vectors", "regions", str(first)], capture_output=True, check=True
        )
        found, at = [], 0
        for size in sizes:
            found.append(done.stdout[at : at + size])
            at += size
        return found

    def _compile_tables(self, unit: Unit, folder: Path) -> None:
        text = table_source(tables_of(unit, self._kernels))
        (folder / "tables.c").write_text(text, encoding="utf-8", newline="\n")
        run_gcc(["gcc", "-std=gnu99", "-w", "-c", str(folder / "tables.c"), "-o", str(folder / "tables.o")])

    def layers(self, folder: Path | None = None, operator: int = 0, changes: Sequence[ByteChange] = ()) -> list[str]:
        """What each operator makes of LAYER_TRIALS arenas of random bytes, as digests: of this engine with `changes`,
        or of the other one that was compiled last in `folder`. Empty where it does not end well."""
        line = change_line(self.steps.index(operator) if operator in self.steps else 0, changes)
        seconds = max(5, SLOWER * LAYER_TRIALS * self.limit_us // self._vectors // 1_000_000)
        program = (folder or self._folder) / "native"
        done = subprocess.run(
            [program, self._folder / "vectors", "layers", str(LAYER_TRIALS), str(seconds)],
            input=line, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.split() if done.returncode == 0 else []

    def text(self, folder: Path, engine: Path = ENGINE) -> str:
        """Its C with the kernels in `engine`, preprocessed in `folder`; its parameters can be changed."""
        source = engine_source(self._program, self._plan, self._unit, loose=True)
        return preprocess(source, folder, self._kernels, engine)

    @property
    def kernels(self) -> Sequence[str]:
        """The board's folders of kernels."""
        return self._kernels

    @property
    def mve(self) -> bool:
        """Whether the forms for cores with MVE are compiled."""
        return VECTORS in self._kernels

    def has_vectors(self, operator: int) -> bool:
        """Whether an operator runs a kernel for MVE."""
        return self.mve and runs_vectors(self._program.ops[operator])

    @property
    def tables(self) -> Path:
        """What a program of this engine's C is linked with."""
        return self._folder / "tables.o"

    def executed_lines(self, folder: Path) -> set[tuple[str, int]]:
        """Lines of the engine's files that run for some of the questions, as gcov counts them: file, and line."""
        folder.mkdir(parents=True, exist_ok=True)
        source = engine_source(self._program, self._plan, self._unit)
        text = preprocess(source, folder, self._kernels, lines=True)
        model = self._model()
        (folder / "unit.c").write_text(f"{text}\n{model}\n{region_source([], [])}", encoding="utf-8", newline="\n")
        counting = ["gcc", *FLAGS, *OTHER, "-c"]
        run_gcc([*counting, "--coverage", "-fpreprocessed", "unit.c", "-o", "unit.o"], folder)
        run_gcc([*counting, "-DCOUNT_LINES", str(HERE / RUNNER), "-o", "runner.o"], folder)
        run_gcc(["gcc", "--coverage", "unit.o", "runner.o", str(self._folder / "tables.o"), "-o", "native"], folder)
        command = [str(folder / "native"), str(self._folder / "vectors"), "whole", str(SLOWER * self.limit_us)]
        subprocess.run(command, capture_output=True, check=True, cwd=folder)
        return executed_lines(folder)

    def _link(self, folder: Path, text: str, regions: str, model: str, flags: Sequence[str] = FAST) -> Path:
        file = folder / "unit.c"
        file.write_text(f"{text}\n{model}\n{regions}", encoding="utf-8", newline="\n")
        objects = [str(self._folder / "runner.o"), str(folder / "tables.o")]
        run_gcc(["gcc", *FLAGS, *flags, str(file), *objects, "-o", str(folder / "native")])
        return folder / "native"

    def check_sound(self) -> None:
        """Raises EnvironmentFaultError where it does not answer as the reference without any fault."""
        done = subprocess.run(
            [self._folder / "native", self._folder / "vectors", "sound"],
            input="", capture_output=True, text=True, check=True,
        )  # fmt: skip
        first, limit = done.stdout.splitlines()
        if _seen(first).found:
            raise EnvironmentFaultError(
                f"the engine compiled for this machine answers otherwise than the reference: {first}"
            )
        self.limit_us = int(limit)
        # Once more as what is compiled for one fault is, which says how long to wait for that.
        slow = self._folder / "slow"
        slow.mkdir(exist_ok=True)
        (slow / "tables.o").symlink_to(self._folder / "tables.o")
        file = self._link(slow, self.text(slow), region_source([], []), self._model(), self._flags)
        command = [str(file), str(self._folder / "vectors"), "whole", str(SLOWER * self.limit_us)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self._other_limit_us = int(done.stdout.splitlines()[1])

    def plant(self, faults: Sequence[tuple[int, Sequence[ByteChange]]], progress: Callable[[int], None]) -> list[Seen]:
        """What becomes of each: the operator's number in the C, whose tables are changed, and the changes. `progress`
        is told how many are done."""
        order = sorted(range(len(faults)), key=lambda number: self.steps.index(faults[number][0]))
        workers = usable_processors()
        share = max(1, -(-len(order) // workers))
        parts = [order[at : at + share] for at in range(0, len(order), share)]
        found: list[Seen] = [Seen()] * len(faults)
        done = 0

        def run(part: list[int]) -> None:
            nonlocal done
            command = [str(self._folder / "native"), str(self._folder / "vectors"), "sound"]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdin
                assert process.stdout
                process.stdout.readline()
                process.stdout.readline()
                for number in part:
                    operator, changes = faults[number]
                    process.stdin.write(change_line(self.steps.index(operator), changes))
                    process.stdin.flush()
                    found[number] = _seen(process.stdout.readline())
                    done += 1
                    progress(done)
                process.stdin.close()

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(run, parts))
        return found

    def ask_other(self, folder: Path, program: Program, plan: MemoryPlan, unit: Unit, *, own_tables: bool) -> Seen:
        """Another program, compiled in `folder`, with the kernels in `folder`/engine where there are any. `own_tables`:
        whether it has other tables than the sound one. Raises GccRefusedError where that is no C."""
        folder.mkdir(parents=True, exist_ok=True)
        if own_tables:
            self._compile_tables(unit, folder)
        elif not (folder / "tables.o").exists():
            (folder / "tables.o").symlink_to(self._folder / "tables.o")
        own = folder / "engine"
        engine = own if own.is_dir() else ENGINE
        text = preprocess(engine_source(program, plan, unit), folder, self._kernels, engine)
        is_other = (program, plan) != (self._program, self._plan)
        model = model_source(program, plan, unit) if is_other else self._model()
        file = self._link(folder, text, region_source([], []), model, self._flags)
        done = subprocess.run(
            [file, self._folder / "vectors", "whole", str(self._other_limit_us)],
            capture_output=True,
            text=True,
            check=True,
        )
        return _seen(done.stdout.partition("\n")[0])


def change_line(step: int, changes: Sequence[ByteChange]) -> str:
    """As runner.c takes it. `step`: the place of the operator that reads the changed bytes, among those that run."""
    words = [str(step), str(len(changes))]
    for change in changes:
        words += [str(change.region), str(change.offset), change.content.hex()]
    return " ".join(words) + "\n"


def _seen(line: str) -> Seen:
    if not line:
        raise EnvironmentFaultError("the engine compiled for this machine ended before it answered")
    *numbers, ended = (int(word) for word in line.split())
    by_output, by_digest, digest_step, alone_step = (None if number < 0 else number for number in numbers)
    undefined = ended == signal.SIGILL
    return Seen(by_output, by_digest, digest_step, alone_step, stopped=ended > 0 and not undefined, undefined=undefined)


def _operator(name: str) -> int:
    return int(name.removeprefix("op").partition("_")[0].partition(".")[0])


def packed(values: Sequence[int], ctype: str) -> bytes:
    """As the board has them: little-endian."""
    size = _SIZES[ctype]
    return b"".join((value % (1 << 8 * size)).to_bytes(size, "little") for value in values)
