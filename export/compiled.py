# SPDX-License-Identifier: Apache-2.0
"""The program behind a build's model_compiled.c, once more, for those who print it in another way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tinyproof.core.errors import OverlapError, UsageError
from tinyproof.core.manifest import model_id, read_manifest
from tinyproof.core.paths import shown
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.built_plan import plan_fault
from tinyproof.export.codegen import Unit, emit_source, generate
from tinyproof.export.lowering import Program, lower
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.schedules import schedule


@dataclass(frozen=True)
class Compiled:
    """What model_compiled.c was printed from; `unit` are its tables and calls, `identity` is the model's id, `source`
    what lies there."""

    program: Program
    plan: MemoryPlan
    unit: Unit
    identity: str
    source: str


def read_lowered(build_dir: Path) -> Program:
    """The program of a build as it is before a plan is chosen."""
    memory = read_manifest(build_dir).memory
    return _lower(read_file(build_dir / "model.tflite"), keep_dead=memory is not None and memory.keep_dead)


@lru_cache(maxsize=1)
def _lower(tflite: bytes, *, keep_dead: bool) -> Program:
    """Kept, since a check asks twice what the program is: of a large model that takes a second."""
    return lower(read_graph(tflite), keep_dead=keep_dead)


def read_compiled(build_dir: Path, since: str = "") -> Compiled:
    """`since`: only what model_compiled.c holds from these words on is compared.

    Raises UsageError where the build is none, or its C is not what this version makes of it: what is printed from here
    has to be what was proven; OverlapError where tensors overlap in it that must not."""
    memory = read_manifest(build_dir).memory
    choice = schedule(read_lowered(build_dir), memory.ram if memory else "")
    program, plan = choice.program, choice.plan
    identity = model_id(read_file(build_dir / "model.tflite"))
    unit = generate(program, plan)
    source = (build_dir / "model_compiled.c").read_text(encoding="utf-8")
    made = emit_source(program, plan, identity, unit)
    begin = source.find(since)
    if begin < 0 or source[begin:] != made[made.index(since) :]:
        header = (build_dir / "model_compiled.h").read_text(encoding="utf-8")
        if fault := plan_fault(program, plan, source, header):
            raise OverlapError(
                f"{shown(build_dir / 'model_compiled.c')}: {fault}: tensors lie where they must not; "
                "run ./tinyproof export again"
            )
        raise UsageError(f"{shown(build_dir / 'model_compiled.c')} is another version's; run ./tinyproof export again")
    return Compiled(program, plan, unit, identity, source)
