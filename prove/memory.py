# SPDX-License-Identifier: Apache-2.0
"""Memory safe for every input: one path for all inputs, which one run under the sanitizers has gone, or Frama-C's Eva.

Where machine/ saw that neither a branch nor an address depends on the input, a run on any bytes makes the accesses of
all of them. What it leaves out, the functions behind the sums, touches no memory; that nothing there leaves 32 bits
follows from the sums' bounds (requantization.py). Bytes that a step writes lie in its output or its scratch, and nobody
needs what lay there.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tinyproof.export.compiled import Compiled
from tinyproof.export.profile_codegen import FOLDER, SOURCE
from tinyproof.prove.compilers import run_compiler
from tinyproof.prove.eva import ask_eva
from tinyproof.prove.softmax import prove_memory_of_softmax, read_table
from tinyproof.prove.symbolic import MACHINE
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, OperatorProof, Verdict

SANITIZERS = "-fsanitize=address,undefined"
MAIN = MACHINE / "memory_main.c"
FLAGS = ("-std=gnu99", "-O1", "-g0", SANITIZERS, "-fno-sanitize-recover=all", "-Wno-unused-function")
TIMEOUT_S = 300
SMALL_MACS = 2_000  # operators that Eva is asked of, too, where the path decides

_WORDS = re.compile(r"runtime error: .*|AddressSanitizer: [\w-]+")
Ranges = list[tuple[int, int]]


def prove_memory(
    build_dir: Path, compiled: Compiled, operators: list[OperatorProof], engine: Path, *, eva: bool
) -> None:
    """Sets `memory` and `alarms`. `eva`: whether Frama-C is asked at all."""
    includes = [f"-I{path}" for path in (engine, build_dir, build_dir / FOLDER)]
    ran = run_sanitized([*includes, str(MAIN)], len(operators))
    judge_runs(compiled, operators, ran)
    for found in operators:
        open_path = found.memory.status == UNPROVEN and not isinstance(ran, Verdict)
        if found.name == "SOFTMAX" and open_path and found.rest.status == PROVEN:
            table = read_table((build_dir / FOLDER / SOURCE).read_text(encoding="utf-8"), found.number)
            op = compiled.program.ops[found.number]
            assert table is not None  # it was judged
            found.memory = prove_memory_of_softmax(table, op.graph.tensors[op.inputs[0]].shape[-1], engine, FLAGS)
    if not eva:
        return
    for found in operators:
        if found.affine.status != PROVEN or compiled.program.ops[found.number].macs <= SMALL_MACS:
            tried = found.name == "SOFTMAX" and found.memory.status == PROVEN
            answer = ask_eva(build_dir, found.number, engine, softmax=tried)
            found.alarms = answer
            # Where the run has not ended, nobody knows whether it keeps to its own bytes, of which Eva knows nothing.
            if answer == 0 and found.memory.status == UNPROVEN and not isinstance(ran, Verdict):
                found.memory = Verdict(PROVEN, "Eva: no alarm")


def judge_runs(compiled: Compiled, operators: Sequence[OperatorProof], ran: list[Ranges] | Verdict) -> None:
    """Sets `memory` by what ran, and by whether there is one path for all inputs."""
    clashes = _clashes(compiled, operators)
    for step, found in enumerate(operators):
        found.memory = _judge(compiled, found, ran, step, clashes)


def _judge(
    compiled: Compiled, found: OperatorProof, ran: list[Ranges] | Verdict, step: int, clashes: dict[int, str]
) -> Verdict:
    if found.number in clashes:
        return Verdict(REFUTED, clashes[found.number])
    if isinstance(ran, Verdict):
        return ran
    allowed = own_ranges(compiled, found.number)
    for begin, end in ran[step]:
        if not any(low <= begin and end <= high for low, high in allowed):
            return Verdict(REFUTED, f"writes bytes {begin} to {end - 1} of the arena, which are not its own")
    if found.affine.status != PROVEN:
        return Verdict(UNPROVEN, "its path depends on the input")
    return Verdict(PROVEN, "one path, run under the sanitizers")


def own_ranges(compiled: Compiled, number: int) -> Ranges:
    """Where an operator may write, from, up to: outputs and scratch; what touches is one."""
    op, plan = compiled.program.ops[number], compiled.plan
    tensors = op.graph.tensors
    ranges = [(plan.offsets[i], plan.offsets[i] + tensors[i].bytes) for i in op.outputs if i < len(tensors)]
    if number in plan.scratch:
        ranges.append((plan.scratch[number], plan.scratch[number] + op.working_bytes))
    joined: Ranges = []
    for begin, end in sorted(ranges):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined


def _clashes(compiled: Compiled, operators: Sequence[OperatorProof]) -> dict[int, str]:
    """Operators that write where a tensor lies that is read later, by their numbers. What an operator does to its own
    input is judged by its forms."""
    program, plan = compiled.program, compiled.plan
    made = {tensor.index: -1 for tensor in program.inputs}
    needs: list[tuple[int, int, int]] = []  # tensor, made by, read by
    for number, op in enumerate(program.ops):
        needs += [(index, made[index], number) for index in op.inputs if index in made]
        for index in op.outputs:  # what no kernel moves is as old as what it is another name of
            made[index] = number if op.kernel else made.get(op.inputs[0], number)
    needs += [(tensor.index, made[tensor.index], len(program.ops)) for tensor in program.outputs]
    found: dict[int, str] = {}
    for index, maker, reader in needs:
        begin, end = plan.offsets[index], plan.offsets[index] + program.graph.tensors[index].bytes
        for operator in operators:
            if not maker < operator.number < reader:
                continue
            if any(low < end and begin < high for low, high in own_ranges(compiled, operator.number)):
                found[operator.number] = f"overwrites {program.graph.tensors[index].label}, which is read later"
    return found


def run_sanitized(sources: Sequence[str], steps: int) -> list[Ranges] | Verdict:
    """What each step wrote; or what the sanitizers said, or that they took too long. `sources`: MAIN, and what the
    compiler has to know."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "memory"
        command = ["gcc", *FLAGS, *sources, "-o", str(program)]
        run_compiler(command, "the generated C cannot be compiled")
        try:
            done = subprocess.run(
                [program], capture_output=True, text=True, errors="replace", check=False, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return Verdict(UNPROVEN, f"time: the run under the sanitizers takes more than {TIMEOUT_S} s")
    if done.returncode != 0:
        found = _WORDS.search(done.stderr)
        return Verdict(REFUTED, f"the sanitizers stopped it: {found[0][:150] if found else 'without a word'}")
    rows = [[int(number) for number in line.split()][1:] for line in done.stdout.splitlines()]
    assert len(rows) == steps
    return [list(zip(row[::2], row[1::2], strict=True)) for row in rows]
