# SPDX-License-Identifier: Apache-2.0
"""What a model will cost on a board, before anything is built: constants and arena exactly, code by estimate."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board, MemorySpec
from tinyproof.core.build_record import RamUse, read_build_record
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import model_id
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.brought_file import floats_inside
from tinyproof.export.codegen import MAX_INLINED_CALLS, KernelPart, kernel_parts
from tinyproof.export.lowering import REWRITTEN, Program, lower
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops import ENDS, OPS
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.schedules import Schedules

# Measured with the pinned compilers (sizes by layer in build.json of the neuron): all but model and arena.
# ISA -> (flash, RAM without stack) of our own firmware.
_BASE = {
    "armv6-m": (10_500, 180),
    "armv7-m": (8_220, 180),
    "armv7e-m": (7_020, 180),
    "armv8-m": (6_770, 180),
    "armv8.1-m": (6_870, 180),
    "rv32imc": (11_280, 190),
    "xtensa": (10_260, 190),
    "avr5": (14_750, 1_050),
}
# The same on real boards, whose vendor's core comes on top. Not measurable here: round figures from public builds.
_VENDOR_CORE = {"armv7e-m": (90_000, 48_000), "xtensa": (300_000, 45_000)}
_UNKNOWN_BASE = (12_000, 1_000)
_DEFAULT_LINE_BYTES = 128
_PROTOCOL_STATE_BYTES = 44  # of the protocol beside its line

_MARGIN = 0.1  # an estimate closer to the limit than this promises nothing
_PARAMETERS_BYTES = 56  # the parameter struct of a call
# Kernels of which there is one copy, however few the calls: Thumb-2 code of the plain ones, and of those that stand
# before them on the include path.
_ONE_COPY = {
    "": {"conv_pairs_s8": 1_150, "conv_planes_s8": 700, "depthwise_quads_s8": 700},
    "kernels_blocked": {"conv_pairs_s8": 3_000, "conv_planes_s8": 3_100, "depthwise_quads_s8": 1_100},
    "kernels_dsp": {"conv_pairs_s8": 4_700, "conv_planes_s8": 2_500, "depthwise_quads_s8": 950},
}
# How much larger than Thumb-2's the other instruction sets' code is.
_CODE_FACTOR = {"armv6-m": 1.4, "rv32imc": 1.3, "xtensa": 1.2, "avr5": 2.5}


@dataclass(frozen=True)
class Fit:
    """A board's verdict. `exact`: sizes of a build of this very model, no estimate. Bytes."""

    board: str
    flash_bytes: int
    flash_limit: int
    ram_bytes: int
    ram_limit: int
    exact: bool
    ram: RamUse

    @property
    def fits(self) -> bool:
        """Whether flash and RAM both suffice."""
        return self.flash_bytes <= self.flash_limit and self.ram_bytes <= self.ram_limit

    def as_dict(self) -> dict[str, Any]:
        """Sizes in bytes and the verdict, for --json."""
        return {**self.__dict__, "ram": asdict(self.ram), "fits": self.fits, "verdict": self.verdict()}

    def verdict(self) -> str:
        """In words: what is left, or what is missing."""
        if self.fits:
            left = min(1 - self.flash_bytes / self.flash_limit, 1 - self.ram_bytes / self.ram_limit)
            scarce = "flash" if self.flash_bytes / self.flash_limit >= self.ram_bytes / self.ram_limit else "RAM"
            if self.exact or left >= _MARGIN:
                return f"fits, {left:.0%} of {scarce} left"
            return "fits narrowly: build it to see"
        missing = [
            f"{needed - limit:,} B of {what}"
            for what, needed, limit in (
                ("flash", self.flash_bytes, self.flash_limit),
                ("RAM", self.ram_bytes, self.ram_limit),
            )
            if needed > limit
        ]
        return f"does not fit: {' and '.join(missing)} too much"


def inspect_model(tflite: bytes, file: str, boards: list[Board], build_dir: Path | None = None) -> dict[str, Any]:
    """Operators, tensors, totals and a verdict for each board. No TensorFlow, nothing is written.

    `build_dir`: where builds of the model may lie, whose sizes are then taken instead of estimates.
    `removed`: the channels that an export leaves out (core/manifest.py). `plans`: what `export --ram` chooses from.

    Raises InputFileError naming what is wrong with the file, or not supported.
    """
    schedules = Schedules(lower(read_graph(tflite, file)))
    choice = schedules.fastest
    program, plan = choice.program, choice.plan
    identity = model_id(tflite)
    parts = _parts(program)
    constant_bytes = _table_bytes(parts)
    code_bytes = {folder: _code_bytes(parts, sizes) for folder, sizes in _ONE_COPY.items()}
    fits = [
        _built(board, board.memory, identity, build_dir)
        or _estimate(
            board,
            board.memory,
            constant_bytes,
            code_bytes[_kernels_of(board)],
            (plan.arena_bytes, program.state_bytes),
        )
        for board in boards
        if board.memory is not None
    ]
    return {
        "file": file,
        "model_id": identity,
        "inputs": [_tensor(program.graph, tensor.index, plan) for tensor in program.inputs],
        "outputs": [_tensor(program.graph, tensor.index, plan) for tensor in program.outputs],
        "macs": program.macs,
        "removed": None if program.removed is None else dataclasses.asdict(program.removed),
        "constant_bytes": constant_bytes,
        "arena_bytes": plan.arena_bytes,
        "tensor_bytes": plan.tensor_bytes,
        "plans": schedules.as_rows(),
        "operators": [_operator(program, op) for op in program.ops],
        "tensors": [_tensor(program.graph, tensor.index, plan) for tensor in program.graph.tensors],
        "boards": [fit.as_dict() for fit in fits],
    }


def list_model(tflite: bytes, file: str) -> dict[str, Any]:
    """What is in a model that `inspect_model` refuses: its operators and tensors as the file has them, "float" where an
    operator computes in it. Raises InputFileError where it cannot even be read."""
    graph = read_graph(tflite, file)
    inside = {operator.index for operator in floats_inside(graph)}
    return {
        "file": file,
        "model_id": model_id(tflite),
        "inputs": [_tensor(graph, index) for index in graph.inputs],
        "outputs": [_tensor(graph, index) for index in graph.outputs],
        "operators": [
            {
                "index": operator.index,
                "name": operator.name,
                "inputs": [list(graph.tensors[index].shape) for index in operator.inputs if index != -1],
                "outputs": [list(graph.tensors[index].shape) for index in operator.outputs],
                "known": operator.name in OPS or operator.name in REWRITTEN or operator.name in ENDS,
                "float": operator.index in inside,
            }
            for operator in graph.operators
        ],
        "tensors": [_tensor(graph, tensor.index) for tensor in graph.tensors],
    }


def _operator(program: Program, op: Op) -> dict[str, Any]:
    tensors = program.graph.tensors
    return {
        "index": op.operator.index,
        "name": op.operator.name,
        "kernel": op.kernel,
        "inputs": [list(tensors[index].shape) for index in op.inputs],
        "outputs": [list(tensors[index].shape) for index in op.outputs],
        "macs": op.macs,
        "constant_bytes": _constant_bytes(op.constants()),
    }


def _tensor(graph: Graph, index: int, plan: MemoryPlan | None = None) -> dict[str, Any]:
    tensor = graph.tensors[index]
    return {
        "index": index,
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "constant": tensor.data is not None,
        "scales": len(tensor.scales),
        "scale_min": min(tensor.scales, default=None),
        "scale_max": max(tensor.scales, default=None),
        "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
        "offset": None if plan is None else plan.offsets.get(index),
    }


def flash_use(program: Program) -> tuple[int, int]:
    """(bytes of all tables, exactly; bytes of code on a Cortex-M without the DSP extension, about)."""
    parts = _parts(program)
    return _table_bytes(parts), _code_bytes(parts, _ONE_COPY["kernels_blocked"])


def _parts(program: Program) -> list[KernelPart]:
    """What is printed: of operators that take turns each in each of its forms."""
    return [part for number, op in enumerate(program.ops) if op.kernel for part in kernel_parts(number, op)]


def _table_bytes(parts: list[KernelPart]) -> int:
    return sum(_constant_bytes(part.constants) for part in parts if not part.declared)


def _constant_bytes(tables: Iterable[Constant]) -> int:
    """Of tables in flash."""
    return sum(len(table.values) * table.element_bytes for table in tables)


def _kernels_of(board: Board) -> str:
    """The folder of _ONE_COPY that says most about the board's code."""
    return next((folder for folder in reversed(_ONE_COPY) if folder in board.build.kernels), "")


def _code_bytes(parts: list[KernelPart], one_copy: dict[str, int]) -> int:
    """Thumb-2; a kernel that is called often is shared instead of inlined."""
    one = {part.op.kernel: part.op.code_bytes for part in parts}
    calls = Counter(part.op.kernel for part in parts for _ in part.calls)
    one |= one_copy
    return sum(
        one[kernel] * (count if count <= MAX_INLINED_CALLS and kernel not in one_copy else 1)
        + _PARAMETERS_BYTES * count
        for kernel, count in calls.items()
    )


def _estimate(board: Board, memory: MemorySpec, constant_bytes: int, code_bytes: int, arena: tuple[int, int]) -> Fit:
    """`code_bytes`: of all kernel calls in Thumb-2. `arena`: its bytes, and those of the state in it."""
    bases = _VENDOR_CORE if board.kind == "serial" else _BASE
    flash, ram = bases.get(board.isa, _UNKNOWN_BASE)
    line_bytes = board.build.defines.get("PROTOCOL_LINE_BYTES", _DEFAULT_LINE_BYTES)
    arena_bytes, state_bytes = arena
    protocol = _PROTOCOL_STATE_BYTES + line_bytes
    other = ram - _PROTOCOL_STATE_BYTES - _DEFAULT_LINE_BYTES
    use = RamUse(arena_bytes - state_bytes, state_bytes, 0, protocol, memory.stack_bytes or 0, other)
    flash += constant_bytes + round(code_bytes * _CODE_FACTOR.get(board.isa, 1.0))
    return Fit(board.name, flash, memory.flash_bytes, use.total_bytes, memory.ram_bytes, exact=False, ram=use)


def _built(board: Board, memory: MemorySpec, identity: str, build_dir: Path | None) -> Fit | None:
    """By the sizes of an earlier build of this very model; None where there is none."""
    if build_dir is None:
        return None
    try:
        record = read_build_record(build_dir / "boards" / board.name)
    except UsageError:  # damaged: an estimate says more
        return None
    if record is None or record.model_id != identity:
        return None
    limits = memory.flash_bytes, memory.ram_bytes
    return Fit(board.name, record.flash_bytes, limits[0], record.ram_bytes, limits[1], exact=True, ram=record.ram)
