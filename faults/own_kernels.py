# SPDX-License-Identifier: Apache-2.0
"""Whether the kernels that a board runs are memory safe for every input, its assembly translated to C.

As prove/memory.py says of the portable ones: where unknown bytes have shown that neither a branch nor an address
depends on the input (native/unknown.h), a run under the sanitizers makes the accesses of every input.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.export.compiled import Compiled, read_compiled
from tinyproof.export.profile_codegen import FOLDER, SOURCE, write_profile
from tinyproof.faults.native.source import (
    ENGINE,
    GccRefusedError,
    engine_source,
    preprocess,
    run_gcc,
    table_source,
    tables_of,
)
from tinyproof.faults.unknowns import NOTHING, Unknowns, closure_of, functions_of
from tinyproof.prove.memory import MAIN, judge_runs, run_sanitized
from tinyproof.prove.verdicts import PROVEN, UNPROVEN, OperatorProof, Verdict

Digests = dict[int, str]  # of each operator by its number in the C; behind NOTHING why there is none


def prove_own_memory(
    build_dir: Path, board: Board, portable: Sequence[OperatorProof] = (), engine: Path = ENGINE
) -> list[OperatorProof]:
    """For each operator that runs its `affine` and `memory` with the kernels of `board`. `portable`: what was found
    with the portable kernels, which decides where the board runs these. `engine`: where all kernels are.

    Raises UsageError where the build is none or its C is another version's, EnvironmentFaultError without gcc.
    """
    compiled, kernels = read_compiled(build_dir), board.build.kernels
    operators = [OperatorProof(step.number, step.index, step.name) for step in write_profile(build_dir)]
    with tempfile.TemporaryDirectory(prefix="tinyproof-own-") as name:
        folder = Path(name)
        text = _engine(compiled, folder, kernels, engine)
        digests = _digests(compiled, folder, text, kernels)
        same = _same_functions(text, _engine(compiled, folder, (), engine), list(digests))
        for found in operators:
            digest = digests[found.number]
            found.affine = (
                Verdict(UNPROVEN, digest.removeprefix(NOTHING).strip() or "its kernels are no C++")
                if digest.startswith(NOTHING)
                else Verdict(PROVEN, "one path for all inputs")
            )
        judge_runs(
            compiled, operators, run_sanitized(_sources(build_dir, compiled, folder, kernels, engine), len(operators))
        )
    known = {found.number: found.memory for found in portable}
    for found in operators:
        if found.memory.status == UNPROVEN and found.number in same and found.number in known:
            found.memory = known[found.number]
    return operators


def _engine(compiled: Compiled, folder: Path, kernels: Sequence[str], engine: Path) -> str:
    source = engine_source(compiled.program, compiled.plan, compiled.unit, loose=True)
    return preprocess(source, folder, kernels, engine)


def _sources(build_dir: Path, compiled: Compiled, folder: Path, kernels: Sequence[str], engine: Path) -> list[str]:
    """The steps in a file of their own, since headers of the system have assembly that is another machine's."""
    own = (build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
    steps = preprocess(own, folder, kernels, engine, more=(build_dir, build_dir / FOLDER))
    (folder / "steps.c").write_text(steps, encoding="utf-8", newline="\n")
    lines = ["#include <stdint.h>", f"#define MODEL_STEPS {len(compiled.unit.steps)}"]
    lines += [f"#define MODEL_ARENA_BYTES {compiled.plan.arena_bytes}"]
    lines += ["extern void (*const model_steps[MODEL_STEPS + 1])(int8_t *arena);", ""]
    (folder / SOURCE).write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return [f"-I{folder}", str(MAIN), str(folder / "steps.c")]


def _digests(compiled: Compiled, folder: Path, text: str, kernels: Sequence[str]) -> Digests:
    numbers = list(compiled.unit.steps)
    tables = folder / "tables.o"
    (folder / "tables.c").write_text(table_source(tables_of(compiled.unit, kernels)), encoding="utf-8", newline="\n")
    try:
        run_gcc(["gcc", "-std=gnu99", "-w", "-c", str(folder / "tables.c"), "-o", str(tables)])
    except GccRefusedError:
        return dict.fromkeys(numbers, NOTHING)
    unknowns = Unknowns(compiled.program, compiled.plan, numbers, tables)
    if not unknowns.compile(text, folder):
        return dict.fromkeys(numbers, NOTHING)
    digests = unknowns.run(folder, range(len(numbers))) or [NOTHING] * len(numbers)
    return dict(zip(numbers, digests, strict=True))


def _same_functions(text: str, portable: str, numbers: Sequence[int]) -> set[int]:
    """Operators that run the very same functions with both."""
    own, other = functions_of(text)[0], functions_of(portable)[0]
    return {number for number in numbers if closure_of(f"step{number}", own) == closure_of(f"step{number}", other)}
