# SPDX-License-Identifier: Apache-2.0
"""A streaming net: what it remembers costs no copies there and back, and never drifts from TFLite Micro's."""

from __future__ import annotations

import random

import pytest
from support.op_cases import Case, run_natively
from support.op_rows.circular_buffer import build, vector_options
from support.streaming import StreamingNet

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.memory_planner import plan_memory
from tinyproof.export.rewriting import MAX_STATE_BYTES
from tinyproof.export.tflm_arena import smallest_arena

STATES = 4


def frames(count: int, size: int, seed: int) -> tuple[bytes, ...]:
    source = random.Random(seed)
    return tuple(source.randbytes(size) for _ in range(count))


def test_ten_thousand_frames_are_those_of_tflite_micro() -> None:
    tflite = StreamingNet(1).build()
    case = Case("a streaming net", tflite, frames(10_000, lower(read_graph(tflite)).input_bytes, 1))
    expected = Reference(tflite, "tflite-micro").run_batch(case.inputs)
    assert len(set(expected)) > 50, "its answers are hardly ever different"
    (answers,) = run_natively([case])
    assert answers == expected


def test_the_python_reference_remembers_alike() -> None:
    tflite = StreamingNet(2).build()
    inputs = frames(100, lower(read_graph(tflite)).input_bytes, 2)
    assert Reference(tflite, "python").run_batch(inputs) == Reference(tflite, "tflite-micro").run_batch(inputs)


def test_each_state_is_moved_up_once_and_new_rows_are_computed_into_it() -> None:
    program = lower(read_graph(StreamingNet(3).build()))
    kernels = [op.kernel for op in program.ops if op.kernel]
    assert kernels.count("move_s8") == STATES
    assert kernels.count("strided_copy") == 0
    assert kernels.count("copy_s8") == 1, "that of the input"


def test_more_state_than_any_device_has_is_refused() -> None:
    """A few bytes of a file may name any number of rows."""
    row = 1024
    rows = MAX_STATE_BYTES // row
    assert lower(read_graph(build(vector_options(1), row=(1, 1, 1, row), rows=rows))).state_bytes == MAX_STATE_BYTES
    with pytest.raises(InputFileError, match="keeps over 4,194,304 bytes of state; use a smaller model"):
        lower(read_graph(build(vector_options(1), row=(1, 1, 1, row), rows=rows + 1)))


@pytest.mark.timeout(120)
def test_memory_is_what_it_keeps_and_what_one_operator_needs() -> None:
    tflite = StreamingNet(4).build()
    program = lower(read_graph(tflite))
    plan = plan_memory(program)
    states = program.state_bytes
    needs = max(op.scratch_bytes for op in program.ops)
    assert plan.arena_bytes <= program.input_bytes + program.output_bytes + states + needs + 1024
    assert plan.arena_bytes < smallest_arena(tflite)
