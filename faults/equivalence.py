# SPDX-License-Identifier: Apache-2.0
"""Faults in an operator's numbers that are none: for every input it computes as before, as prove/ can show.

The portable kernels run on unknown bytes, before and after. The same form of each output byte, with the same rescaling
behind it, is the same answer; what differs behind the sums is tried for every sum that can be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.tflite.arithmetic import BYTE_DISTANCES
from tinyproof.export.compiled import Compiled
from tinyproof.export.profile_codegen import FOLDER, SOURCE
from tinyproof.faults.editing import edit_source, one_form
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.mutants import ROUNDINGS, TIES, Mutant
from tinyproof.faults.native.engine import NativeEngine
from tinyproof.faults.vector_averages import VectorAverages
from tinyproof.prove.eva import one_step
from tinyproof.prove.linear import judge_linear, output_cells, part_of
from tinyproof.prove.requantization import sweep
from tinyproof.prove.softmax import prove_softmax
from tinyproof.prove.sweeps import Sweeps, sweeps_of
from tinyproof.prove.symbolic import ADDED, AVERAGED, ENGINE, MULTIPLIED, REQUANTIZED, StepForms, run_machine
from tinyproof.prove.verdicts import PROVEN, UNPROVEN, OperatorProof, Rescaling, Verdict

AVERAGE = ("kernels/average_pooling.h", "average_pooling_divide")
BEHIND_SUMS = ("_reciprocals", "_shifts", ".clamp_min", ".clamp_max")  # of an average's numbers
ROUNDING = ("kernels/requantize.h", "kernels/pairs.h")  # where sums of the portable kernels are rescaled
PORTABLE = "kernels/"  # of all files these alone are in what prove/ compiles
LOOPS = ("kernels/softmax.h",)  # what prove/ takes on trust of SOFTMAX is there
SUMS = "sums that channels can have, all there are, become the same bytes"
PATIENCE_S = 60  # for one operator: with a fault in its bounds it may never end


class Equivalence:
    """Of a build's operators. `folder`: where is compiled."""

    def __init__(self, build_dir: Path, compiled: Compiled, engine: NativeEngine, folder: Path) -> None:
        self._build_dir, self._compiled, self._engine, self._folder = build_dir, compiled, engine, folder
        self._sound: dict[int, StepForms | str] = {}
        self._vectors: VectorAverages | None = None

    def shown(self, fault: EngineFault) -> str:
        """What shows that the fault is none; "" where nothing does."""
        number = fault.operator
        if number is None or not fault.changes:
            return ""
        if self._beyond_bytes(fault):
            return f"both reach beyond the {BYTE_DISTANCES} distances that bytes can have"
        if self._engine.has_vectors(number) and not self._behind_sums(fault):
            return ""
        return self._by_forms(number, fault)

    def _by_forms(self, number: int, fault: EngineFault) -> str:
        if number not in self._sound:
            self._sound[number] = self._portable_forms(number, None)
        before = self._sound[number]
        if isinstance(before, str):
            return ""
        if fault.kind == "clamps" and _are_averages(before):
            return self._same_averages(number, before, before, self._clamp(fault, before))
        after = self._portable_forms(number, fault)
        if isinstance(after, str) or not _same_sums(before, after):
            return ""
        if _are_averages(before):
            return self._same_averages(number, before, after, None)
        if np.array_equal(before.parameters, after.parameters) and np.array_equal(before.clamps, after.clamps):
            return "the portable kernels compute the same sums of the same bytes"
        if np.isin(before.tails, (ADDED, MULTIPLIED)).all():
            return self._same_pairs(before, after)
        sums = self._right_sums(number, after, sweeps_of(ENGINE))
        return f"{sums:,} {SUMS}" if sums else ""

    def of_kernel(self, mutant: Mutant, places: Sequence[int], engine: Path) -> str:
        """The same of a changed kernel that changes only what the steps at `places` make of sums. `engine`: a copy of
        the kernels, where it is planted meanwhile."""
        numbers = [self._engine.steps[place] for place in places]
        names = {self._compiled.program.ops[number].operator.name for number in numbers}
        if names == {"AVERAGE_POOL_2D"} and mutant.inside(AVERAGE):
            return self._averages_with(mutant, numbers, engine)
        if names == {"SOFTMAX"} and mutant.file.startswith(PORTABLE) and mutant.file not in LOOPS:
            return self._softmax_with(mutant, numbers, engine)
        return self._with_ties_upward(numbers, engine) if mutant.why == TIES else ""

    def _softmax_with(self, mutant: Mutant, numbers: Sequence[int], engine: Path) -> str:
        mutant.plant(engine)
        try:
            sweeps = Sweeps(engine)
            verdicts = [self._softmax(number, engine, sweeps) for number in numbers]
        except EnvironmentFaultError:
            return ""
        finally:
            mutant.heal(engine)
        words = {verdict.why for verdict in verdicts}
        return f"all there are: {', '.join(sorted(words))}" if all(verdict.holds for verdict in verdicts) else ""

    def _with_ties_upward(self, numbers: Sequence[int], engine: Path) -> str:
        """Of a kernel that rounds ties so: the portable ones, whose steps are the same, changed likewise. A kernel for
        MVE has the same sums in another order, and other numbers behind them (_rounded_twice)."""
        forms = [self._portable_forms(number, None) for number in numbers]
        if not numbers or any(isinstance(one, str) for one in forms):
            return ""
        try:
            for file in ROUNDING:
                text = (ENGINE / file).read_text(encoding="utf-8")
                for old, new, why in ROUNDINGS:
                    text = text.replace(old, new) if why == TIES else text
                (engine / file).write_text(text, encoding="utf-8", newline="\n")
            sweeps = Sweeps(engine)
        except EnvironmentFaultError:
            return ""
        finally:
            for file in ROUNDING:
                (engine / file).write_bytes((ENGINE / file).read_bytes())
        sums = [
            self._right_sums(number, one, sweeps)
            for number, one in zip(numbers, forms, strict=True)
            if not isinstance(one, str)
        ]
        return f"{sum(sums):,} {SUMS}" if all(sums) else ""

    def _averages_with(self, mutant: Mutant, numbers: Sequence[int], engine: Path) -> str:
        """Of a changed division: every kernel of averages divides by that function alone."""
        forms = [self._forms(number, None) for number in numbers]
        mutant.plant(engine)
        try:
            changed = Sweeps(engine)
        except EnvironmentFaultError:
            return ""
        finally:
            mutant.heal(engine)
        sums = 0
        for one in forms:
            if isinstance(one, str) or not _are_averages(one):
                return ""
            for parameters, clamp in set(
                zip(map(tuple, one.parameters[:, :3].tolist()), map(tuple, one.clamps.tolist()), strict=True)
            ):
                tables = sweeps_of(ENGINE).average(parameters, clamp), changed.average(parameters, clamp)
                if not np.array_equal(*tables):
                    return ""
                sums += len(tables[0])
        return f"{sums:,} sums of windows, all there are, become the same bytes"

    def _softmax(self, number: int, engine: Path, sweeps: Sweeps) -> Verdict:
        forms = self._forms(number, None, engine)
        if isinstance(forms, str):
            return Verdict(UNPROVEN, forms)
        op = self._compiled.program.ops[number]
        source = (self._build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
        return prove_softmax(forms, op.graph, op.operator, self._compiled.plan.offsets, source, number, sweeps)

    def _right_sums(self, number: int, forms: StepForms, sweeps: Sweeps) -> int:
        """Of a linear layer with something else behind its sums: how many there are, if each becomes the right byte;
        else 0."""
        op, offsets = self._compiled.program.ops[number], self._compiled.plan.offsets
        if len(op.outputs) != 1:
            return 0
        y = op.graph.tensors[op.outputs[0]]
        cells = output_cells(forms, offsets[y.index], y.bytes)
        if cells is None:
            return 0
        found = OperatorProof(number, 0, op.operator.name)
        judge_linear(found, part_of(forms, cells), op.graph, op.operator, offsets)
        if found.linear.status != PROVEN:
            return 0
        if self._engine.has_vectors(number):
            found.rescalings = _rounded_twice(found.rescalings)
        sweep([found], sweeps)
        holds = found.requantization.holds
        return sum(high - low + 1 for low, high in found.rescalings.values()) if holds else 0

    def _beyond_bytes(self, fault: EngineFault) -> bool:
        regions = self._engine.regions
        return all(
            regions[change.region].name.endswith(".exponentials_count")
            and min(
                int.from_bytes(content, "little", signed=True)
                for content in (change.content, regions[change.region].content)
            )
            >= BYTE_DISTANCES
            for change in fault.changes
        )

    def _forms(self, number: int, fault: EngineFault | None, engine: Path = ENGINE) -> StepForms | str:
        if self._engine.has_vectors(number):
            return "its numbers are others than those of the portable kernels, or mean something else to its own"
        return self._portable_forms(number, fault, engine)

    def _behind_sums(self, fault: EngineFault) -> bool:
        """Whether it changes only what a kernel of averages, any of them, does to the sum of a window."""
        own = {f"op{fault.operator}{name}" for name in BEHIND_SUMS}
        averages = self._compiled.program.ops[fault.operator or 0].kernel == "average_pool_s8"
        return averages and all(self._engine.regions[change.region].name in own for change in fault.changes)

    def _portable_forms(self, number: int, fault: EngineFault | None, engine: Path = ENGINE) -> StepForms | str:
        """Of the operator alone, with the fault in it, and the kernels of `engine`."""
        source: str | None = (self._build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
        assert source is not None
        if fault is not None:
            source = edit_source(source, self._engine.regions, fault)
            if source is None:
                return "it is more than whole numbers"
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        alone = one_step(one_form(source, mve=False), number)
        steps = f"void (*const model_steps[MODEL_STEPS + 1])(int8_t *arena) = {{step{number}, step_empty}};\n"
        header = (self._build_dir / FOLDER / "model_profile.h").read_text(encoding="utf-8")
        header = re.sub(r"#define MODEL_STEPS \d+", "#define MODEL_STEPS 1", header)
        (folder / "model_profile.h").write_text(header, encoding="utf-8", newline="\n")
        (folder / SOURCE).write_text(f"{alone}\n{steps}", encoding="utf-8", newline="\n")
        return run_machine(folder, self._build_dir, 1, engine, timeout_s=PATIENCE_S)[0]

    def _clamp(self, fault: EngineFault, before: StepForms) -> tuple[int, int]:
        low, high = (int(number) for number in before.clamps[0])
        for change in fault.changes:
            value = int.from_bytes(change.content, "little", signed=True)
            if self._engine.regions[change.region].name.endswith("min"):
                low = value
            else:
                high = value
        return low, high

    def _same_averages(self, number: int, before: StepForms, after: StepForms, clamp: tuple[int, int] | None) -> str:
        """By the board's own division of every sum."""
        sweeps: Sweeps | VectorAverages = sweeps_of(ENGINE)
        if self._engine.has_vectors(number):
            self._vectors = self._vectors or VectorAverages(self._folder / "averages", self._engine.kernels)
            sweeps = self._vectors
        sums = 0
        rows = zip(
            *(part.tolist() for part in (before.parameters, before.clamps, after.parameters, after.clamps)), strict=True
        )
        for old, old_clamp, new, new_clamp in {tuple(map(tuple, row)) for row in rows}:
            if old[0] != new[0]:
                return ""
            tables = sweeps.average(old[:3], old_clamp), sweeps.average(new[:3], clamp or new_clamp)
            if not np.array_equal(*tables):
                return ""
            sums += len(tables[0])
        return f"{sums:,} sums of windows, all there are, become the same bytes"

    def _same_pairs(self, before: StepForms, after: StepForms) -> str:
        sweeps = sweeps_of(ENGINE)
        for tail, old, new in {
            (int(tail), tuple(a), tuple(b))
            for tail, a, b in zip(before.tails, before.parameters.tolist(), after.parameters.tolist(), strict=True)
        }:
            name = "mul" if tail == MULTIPLIED else "add"
            if not np.array_equal(sweeps.pairs(name, old), sweeps.pairs(name, new)):
                return ""
        return "65,536 pairs of bytes, all there are, become the same bytes"


def _are_averages(forms: StepForms) -> bool:
    return forms.tails.size > 0 and bool((forms.tails == AVERAGED).all())


def _rounded_twice(rescalings: dict[Rescaling, tuple[int, int]]) -> dict[Rescaling, tuple[int, int]]:
    """With the .tflite's own numbers, by which kernels for MVE round twice, in requantize.h's encoding: one rounding of
    the portable kernels knows no ties. A channel whose factor is 0 has no sum but 0."""
    found: dict[Rescaling, tuple[int, int]] = {}
    for rescaling, (low, high) in rescalings.items():
        multiplier, shift, zero_point, *clamp = rescaling.wanted
        parameters = (2 * (multiplier or 2**30) - 2**32, -1 - shift, 0, zero_point)
        key = Rescaling(REQUANTIZED, parameters, (clamp[0], clamp[1]), rescaling.wanted)
        before = found.get(key, (low, high))
        found[key] = min(before[0], low), max(before[1], high)
    return found


def _same_sums(a: StepForms, b: StepForms) -> bool:
    parts = ("addresses", "tails", "constants", "starts", "places", "coefficients")
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in parts)
