# SPDX-License-Identifier: Apache-2.0
"""Places of tensors as they stand in the C of a build: read from its text, and refused where tensors overlap."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.compiled import compiled
from support.hidden_fault import cancelling_layers

from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.export.built_plan import plan_fault
from tinyproof.export.codegen import emit_header, emit_source
from tinyproof.export.compiled import Compiled, read_compiled
from tinyproof.export.memory_planner import MemoryPlan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("plan") / "net", cancelling_layers())


def texts(built: Compiled, plan: MemoryPlan) -> tuple[str, str]:
    """Source and header."""
    return emit_source(built.program, plan, built.identity), emit_header(built.program, plan, built.identity)


def write(folder: Path, built: Compiled, plan: MemoryPlan) -> None:
    for name, text in zip(("model_compiled.c", "model_compiled.h"), texts(built, plan), strict=True):
        (folder / name).write_text(text)


def test_a_plan_that_overlaps_is_refused_wherever_it_comes_from(folder: Path) -> None:
    built = read_compiled(folder)
    inner = built.program.ops[1].inputs[0]
    output = built.program.ops[1].outputs[0]
    for plan in (
        dataclasses.replace(built.plan, offsets=built.plan.offsets | {inner: built.plan.offsets[output]}),
        dataclasses.replace(built.plan, offsets=built.plan.offsets | {output: built.plan.arena_bytes}),
    ):
        write(folder, built, plan)
        with pytest.raises(MismatchError, match="tensors lie where they must not"):
            read_compiled(folder)
    write(folder, built, built.plan)


def test_another_plan_that_is_sound_is_no_fault_but_another_version_s(folder: Path) -> None:
    built = read_compiled(folder)
    moved = {index: offset + 16 for index, offset in built.plan.offsets.items()}
    plan = dataclasses.replace(built.plan, offsets=moved, arena_bytes=built.plan.arena_bytes + 16)
    assert plan_fault(built.program, built.plan, *texts(built, plan)) == ""
    write(folder, built, plan)
    with pytest.raises(UsageError, match="another version's"):
        read_compiled(folder)
    write(folder, built, built.plan)


def test_a_tensor_that_is_written_here_and_read_there_is_refused(folder: Path) -> None:
    built = read_compiled(folder)
    source, header = texts(built, built.plan)
    place = built.plan.offsets[built.program.outputs[0].index]
    other = header.replace(f"tensor({place}, ", f"tensor({place + 4}, ")
    assert other != header
    assert "for one call and at" in plan_fault(built.program, built.plan, source, other)
