# SPDX-License-Identifier: Apache-2.0
"""All statements about a build, operator by operator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tinyproof.export.compiled import Compiled, read_compiled
from tinyproof.export.ops.base import Op
from tinyproof.export.profile_codegen import CALLS, FOLDER, SOURCE, ProfiledOperator, write_profile
from tinyproof.prove.coverage import covered_boards
from tinyproof.prove.elementwise import PAIRS, prove_average, prove_pairs
from tinyproof.prove.linear import judge_linear, output_cells, part_of
from tinyproof.prove.memory import prove_memory
from tinyproof.prove.requantization import sweep
from tinyproof.prove.softmax import LOOP, prove_softmax
from tinyproof.prove.sweeps import Sweeps, sweeps_of
from tinyproof.prove.symbolic import ENGINE, SOFTMAX_ROW, StepForms, run_machine
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, OperatorProof, Verdict

TRUSTED = (
    "gcc and g++ of this machine, and the compiler of the board: the C as it is written is what is judged",
    "core/tflite and core/reference (the .tflite's meaning: scales to multipliers, fixed point, sums and products of "
    "pairs), tested against Google's interpreter",
    "right shifts of negative numbers are arithmetic; numbers of several bytes are little-endian",
    "the functions behind the sums, which are run apart from the kernels that call them, touch no memory",
)
# Operators that sum up products: what is said of them is `linear` and `requantization`.
LINEAR = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "BATCH_MATMUL", "SVDF")
KERNELS = "portable kernels (firmware/lib/engine/kernels)"
REMOVED = "export/channels: that what it has removed cannot change, is read by nobody, or is the same as what stays"


@dataclass(frozen=True)
class ModelProof:
    """`operators`: those that run on the device. `alarms`: of Eva, in what it looked at. `trusted`: what the statements
    rest on; `kernels`: which they are about. `boards` run these very files; `not_proven`: the others, and why."""

    model: str
    model_id: str
    operators: list[OperatorProof]
    trusted: list[str]
    kernels: str
    boards: list[str]
    not_proven: list[str]
    seconds: float

    @property
    def alarms(self) -> int:
        """What Eva could not exclude."""
        return sum(operator.alarms or 0 for operator in self.operators)

    @property
    def memory_safe(self) -> bool:
        """For every input no access is out of bounds, and nothing undefined is done."""
        return all(operator.memory.holds for operator in self.operators)

    @property
    def requantization_proven(self) -> bool:
        """Every rescaling is right for every sum that reaches it."""
        return all(operator.requantization.holds for operator in self.operators)

    @property
    def linear_proven(self) -> bool:
        """Every linear layer is the model's."""
        return all(operator.linear.holds for operator in self.operators)

    @property
    def holds(self) -> bool:
        """With these kernels the outputs are TFLite Micro's for every input."""
        return all(operator.holds for operator in self.operators)

    @property
    def refuted(self) -> list[OperatorProof]:
        """Operators that do something else than the model says."""
        return [op for op in self.operators if any(v.status == REFUTED for v in op.verdicts)]


def prove(build_dir: Path, *, eva: bool = True, engine: Path = ENGINE) -> ModelProof:
    """Judges model_compiled.c as it lies there, with the portable kernels, those of `engine`.

    Raises UsageError where the build is none, or its calls are another version's, EnvironmentFaultError where a tool is
    missing."""
    began = time.monotonic()
    steps = write_profile(build_dir)
    compiled = read_compiled(build_dir, since=CALLS)
    forms = run_machine(build_dir / FOLDER, build_dir, len(steps), engine)
    sweeps = sweeps_of(engine)
    operators = [_judge(build_dir, compiled, step, forms[place], sweeps) for place, step in enumerate(steps)]
    sweep(operators, sweeps)
    prove_memory(build_dir, compiled, operators, engine, eva=eva)
    trusted = [*TRUSTED, *dict.fromkeys(words for operator in operators for words in operator.trusted)]
    if compiled.program.removed is not None:
        trusted.append(REMOVED)
    return ModelProof(
        build_dir.name,
        compiled.identity,
        operators,
        trusted,
        KERNELS,
        *covered_boards(build_dir),
        round(time.monotonic() - began, 1),
    )


def _judge(
    build_dir: Path, compiled: Compiled, step: ProfiledOperator, forms: StepForms | str, sweeps: Sweeps
) -> OperatorProof:
    op = compiled.program.ops[step.number]
    found = OperatorProof(step.number, step.index, step.name)
    if isinstance(forms, str):
        found.affine = Verdict(UNPROVEN, forms)
        _leave_open(found, forms)
        return found
    found.affine = Verdict(PROVEN, "one path for all inputs")
    if SOFTMAX_ROW in forms.tails:
        found.affine = Verdict(UNPROVEN, "its path depends on the input")
    y = op.graph.tensors[op.outputs[0]] if len(op.outputs) == 1 else None
    cells = None if y is None else output_cells(forms, compiled.plan.offsets[y.index], y.bytes)
    if y is None or cells is None or y.dtype != "int8":
        _leave_open(found, "no argument for what it makes")
        return found
    _judge_output(build_dir, compiled, op, found, part_of(forms, cells), sweeps)
    return found


def _judge_output(
    build_dir: Path, compiled: Compiled, op: Op, found: OperatorProof, forms: StepForms, sweeps: Sweeps
) -> None:
    offsets, graph, operator = compiled.plan.offsets, op.graph, op.operator
    if judge_linear(found, forms, graph, operator, offsets):
        return
    if operator.name in PAIRS:
        found.rest = prove_pairs(forms, graph, operator, offsets, sweeps)
    elif operator.name == "AVERAGE_POOL_2D":
        found.rest = prove_average(forms, graph, operator, offsets, sweeps)
    elif operator.name == "SOFTMAX":
        source = (build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
        found.rest = prove_softmax(forms, graph, operator, offsets, source, found.number, sweeps)
        if operator.inputs and graph.tensors[operator.inputs[0]].shape[-1] > 2:
            found.trusted.append(LOOP)
    else:
        _leave_open(found, "no argument for this kind of operator")


def _leave_open(found: OperatorProof, why: str) -> None:
    if found.name in LINEAR:
        found.linear = found.requantization = Verdict(UNPROVEN, why)
    else:
        found.rest = Verdict(UNPROVEN, why)
