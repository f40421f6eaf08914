# SPDX-License-Identifier: Apache-2.0
"""Reads what a profiling firmware saw of its operators: its output tensor is a record of them (engine_profile.c)."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.host.expected import Vectors, load_reference, read_vectors
from tinyproof.host.layer_probes import REQUEST
from tinyproof.host.session import Session, layouts_of, open_session
from tinyproof.host.targets.emulator import Emulator

DIGESTED = 32  # of the build's vectors: one alone shows most faults
LARGE_MACS = 4_000_000  # beyond it, or where
LARGE_BYTES = 512 << 10  # of inputs would have to come over the line once more,
DIGESTED_LARGE = 8  # are enough
INPUTS = 4  # of the build's vectors; most operators take the same number of steps for every input


@dataclass(frozen=True)
class StepTrace:
    """One inference, operator by operator. `ticks`: of each step, less what timing itself costs; `cycles`: of each, by
    the model of the board's core, empty where they were not asked for.

    `first_wrong` is the first step that writes anything else than the golden reference, and `wrong_tensor` the number
    of the first tensor that it writes so, None where there is none; `proven` says whether the output as a whole is the
    reference's.
    """

    ticks: list[int]
    first_wrong: int | None
    proven: bool
    cycles: tuple[int, ...] = ()
    wrong_tensor: int | None = None


def sample_inputs(build_dir: Path, count: int = INPUTS) -> list[bytes]:
    """A few of the build's vectors, spread over all of them."""
    inputs = read_vectors(build_dir).inputs
    return [inputs[number] for number in _spread(len(inputs), count)]


def _spread(vectors: int, count: int) -> list[int]:
    return list(range(vectors))[:: max(1, vectors // count)][:count]


def digested_vectors(manifest: Manifest, vectors: Vectors) -> list[int]:
    """The numbers of those of a build's vectors for which a check of a simulated board compares what every layer
    writes."""
    many = len(vectors.inputs)
    slow = manifest.memory is not None and manifest.memory.macs > LARGE_MACS
    large = sum(map(len, vectors.inputs[:DIGESTED])) > LARGE_BYTES
    count = DIGESTED_LARGE if slow or large else DIGESTED
    return list(range(min(many, count))) if vectors.sequence else _spread(many, count)


def watch_steps(
    board: Board,
    build_dir: Path,
    elf: Path,
    steps: Sequence[Sequence[TensorPart]],
    inputs: Sequence[bytes],
    config: CheckConfig,
    *,
    sequence: bool = False,
) -> list[StepTrace]:
    """Starts `elf` on a simulated board and asks it `inputs`; `steps` are what each operator writes of which tensors.

    `sequence`: they are consecutive frames, and only the first of them comes right after a reset.
    """
    with Emulator(board, elf) as emulator:
        return ask_steps(board, build_dir, emulator.port, steps, inputs, config, sequence=sequence)


def watch_cycles(
    board: Board,
    build_dir: Path,
    elf: Path,
    steps: Sequence[Sequence[TensorPart]],
    inputs: Sequence[bytes],
    config: CheckConfig,
    functions: Sequence[str],
) -> list[StepTrace]:
    """The same with cycles, on a board whose core has a cycle model; `functions` are those that the steps run.

    Raises EnvironmentFaultError where they cannot be counted.
    """
    from tinyproof.host.cycles.measuring import count_cycles

    with count_cycles(board, elf, functions) as counted:
        found = ask_steps(board, build_dir, counted.emulator.port, steps, inputs, config)
        cycles = counted.cycles()
    if len(cycles) != len(steps) * len(inputs):
        raise EnvironmentFaultError(f"board {board.name} ran an operator more than once: it answers too slowly")
    rows = [tuple(cycles[first : first + len(steps)]) for first in range(0, len(cycles), len(steps))]
    return [replace(one, cycles=row) for one, row in zip(found, rows, strict=True)]


def ask_steps(
    board: Board,
    build_dir: Path,
    port: str,
    steps: Sequence[Sequence[TensorPart]],
    inputs: Sequence[bytes],
    config: CheckConfig,
    *,
    sequence: bool = False,
) -> list[StepTrace]:
    """The same of a board that runs the profiling firmware already. Raises BoardError where it runs another one."""
    with open_tracing(board, build_dir, port, steps, config) as session:
        return trace_inputs(session, build_dir, steps, inputs, sequence=sequence)


@contextlib.contextmanager
def open_tracing(
    board: Board, build_dir: Path, port: str, steps: Sequence[Sequence[TensorPart]], config: CheckConfig
) -> Iterator[Session]:
    """A board that runs the profiling firmware of these steps. Raises BoardError where it runs another one."""
    manifest = read_manifest(build_dir)
    size = _record(steps, layouts_of(manifest)[1].size_bytes).size
    with open_session(
        board, build_dir, port, config, manifest=manifest, record_bytes=size, request_bytes=REQUEST.size
    ) as session:
        yield session


def _record(steps: Sequence[Sequence[TensorPart]], output_bytes: int) -> struct.Struct:
    """Ticks of each step, those of none, the checksum of each part, and the model's outputs."""
    return struct.Struct(f"<{len(steps)}II{sum(map(len, steps))}I{output_bytes}s")


def trace_inputs(
    session: Session,
    build_dir: Path,
    steps: Sequence[Sequence[TensorPart]],
    inputs: Sequence[bytes],
    *,
    sequence: bool = False,
) -> list[StepTrace]:
    """One inference of each of `inputs`. `session`: with the profiling firmware."""
    parts = [part for written in steps for part in written]
    owners = [step for step, written in enumerate(steps) for _ in written]
    record = _record(steps, session.y.size_bytes)
    reference = load_reference(build_dir, session.manifest)
    found = []
    for number, content in enumerate(inputs):
        if number == 0 or not sequence:
            reference.reset()
            session.begin()
        values = record.unpack(session.inference.by_parts(content + bytes(REQUEST.size)).output)
        times, empty, crcs = values[: len(steps)], values[len(steps)], values[len(steps) + 1 : -1]
        right = reference.run(content)
        tensors = reference.tensors([part.index for part in parts])
        golden = [zlib.crc32(part.of(tensor)) for part, tensor in zip(parts, tensors, strict=True)]
        wrong = [
            (owner, part.index)
            for owner, part, ours, theirs in zip(owners, parts, crcs, golden, strict=True)
            if ours != theirs
        ]
        step, tensor = min(wrong, default=(None, None), key=lambda one: one[0])
        found.append(
            StepTrace([max(0, ticks - empty) for ticks in times], step, values[-1] == right, wrong_tensor=tensor)
        )
    return found
