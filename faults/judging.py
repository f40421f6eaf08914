# SPDX-License-Identifier: Apache-2.0
"""What a fault is worth that the questions do not show: found in the image, no fault at all, or missed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.processors import usable_processors
from tinyproof.export.built_plan import plan_fault
from tinyproof.export.codegen import emit_header, emit_source
from tinyproof.export.profile_codegen import FOLDER, SOURCE
from tinyproof.faults.campaign import Campaign, Planted, Variant
from tinyproof.faults.editing import edit_source
from tinyproof.faults.equivalence import Equivalence
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.mutants import Mutant
from tinyproof.faults.native.source import ENGINE
from tinyproof.faults.same_operations import SameOperations
from tinyproof.faults.sharing import each_with_one
from tinyproof.faults.unknowns import Unknowns
from tinyproof.firmware.elf_tables import different_constants
from tinyproof.prove.eva import one_step

# How a fault ends. The first four are found.
ANSWERS, DIGESTS, STOPPED, IMAGE = "answers", "digests", "stopped", "image"
EQUIVALENT, MISSED = "equivalent", "missed"
UNDEFINED = "it shifts by more bits than there are, of which this machine makes something else than the board"
FOUND = (ANSWERS, DIGESTS, STOPPED, IMAGE)


@dataclass(frozen=True)
class FaultVerdict:
    """`how`: one of the words above; `why`: what shows it, in words. `here`: whether this machine can say what the
    board does with it."""

    fault: EngineFault
    how: str
    why: str
    here: bool = True


def by_questions(planted: Planted, steps: Sequence[str]) -> FaultVerdict | None:
    """What a check sees at the board. `steps`: what the operators are called."""
    seen = planted.seen
    if seen.by_output is not None:
        return FaultVerdict(planted.fault, ANSWERS, f"vector {seen.by_output}")
    if seen.stopped:
        return FaultVerdict(planted.fault, STOPPED, "it crashes or does not end")
    if seen.by_digest is not None:
        return FaultVerdict(planted.fault, DIGESTS, f"vector {seen.by_digest}, {steps[seen.digest_step or 0]}")
    if seen.alone_step is not None:
        return FaultVerdict(planted.fault, DIGESTS, f"{steps[seen.alone_step]} alone, on contents that the board makes")
    return None


class Judge:
    """Of the faults of one campaign that the questions do not show. `constants`: names of those that both images have;
    `folder`: its own, where it compiles."""

    def __init__(self, campaign: Campaign, constants: set[str], same: SameOperations, folder: Path) -> None:
        self._campaign, self._constants, self._same, self._folder = campaign, constants, same, folder
        self._right: list[str] | None = None
        self._object: bytes | None = None
        self._equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, folder / "equivalence")

    def judge(self, planted: Planted) -> FaultVerdict:
        """In the order of what it costs."""
        fault, undefined = planted.fault, planted.seen.undefined
        if planted.variant is not None and (refused := self._refused_plan(planted.variant)):
            return FaultVerdict(fault, STOPPED, f"the plan in its C is refused: {refused}")
        if self._campaign.exhaustive and not undefined:
            return FaultVerdict(fault, EQUIVALENT, "the same answer to all 256 inputs")
        if name := self._in_image(fault):
            return FaultVerdict(fault, IMAGE, f"{name} is another in the firmware that traces", here=not undefined)
        if undefined:
            return FaultVerdict(fault, MISSED, UNDEFINED, here=False)
        if shown := self._shown(planted):
            return FaultVerdict(fault, EQUIVALENT, shown)
        return self._by_layers(planted)

    def _shown(self, planted: Planted) -> str:
        """What shows that it is no fault; "" where nothing does."""
        fault = planted.fault
        if fault.changes:
            if self._same.of_numbers(fault):
                return "it does the same operations on unknown bytes, with the same numbers"
            if self._same.of_numbers(fault, wraps=True) and self._numbers_wrap(fault):
                return "it makes the same bytes where sums wrap, as they do in the board's code"
            return self._equivalence.shown(fault)
        if planted.mutant is None:
            return ""
        places = self._same.different_steps(planted.mutant, self._folder / "same")
        if places == []:
            return "each layer does the same operations on unknown bytes, or has the same code"
        if self._same_code(planted.mutant):
            return "the board's compiler makes the same code of it"
        others = self._same.wrapping_steps(places or (), self._folder / "same")
        if places and not others and self._sums_wrap(planted.mutant, places):
            return "each layer makes the same bytes where sums wrap, as they do in the board's code"
        return self._equivalence.of_kernel(planted.mutant, places or (), self._folder / "same" / "engine")

    def _refused_plan(self, variant: Variant) -> str:
        """Why a check refuses the places of tensors, which it reads from the C of the build."""
        if variant.plan == self._campaign.compiled.plan:
            return ""
        source = emit_source(variant.program, variant.plan, "", variant.unit)
        header = emit_header(variant.program, variant.plan, "")
        return plan_fault(self._campaign.compiled.program, self._campaign.compiled.plan, source, header)

    def _in_image(self, fault: EngineFault) -> str:
        """The constant that a check compares, where a fault changes one."""
        for change in fault.changes:
            name = self._campaign.engine.regions[change.region].name.partition(".")[0]
            if name in self._constants:
                return name
        return ""

    def _by_layers(self, planted: Planted) -> FaultVerdict:
        """A layer may show for random contents what no vector brings to it: then the fault is one, and missed."""
        campaign, fault = self._campaign, planted.fault
        if self._right is None:
            self._right = campaign.engine.layers()
        if fault.changes:
            got = campaign.engine.layers(None, fault.operator or 0, fault.changes)
        else:
            folder = self._folder / "judged"
            campaign.compile_again(planted, folder)
            got = campaign.engine.layers(folder)
        if not self._right:
            return FaultVerdict(fault, MISSED, "its layers cannot be asked one by one")
        if got != self._right:
            return FaultVerdict(fault, MISSED, "a layer shows it for random contents of its input, and no vector does")
        words = "no layer shows it for random contents of its input either; it is not proven equivalent"
        return FaultVerdict(fault, MISSED, words)

    def _same_code(self, mutant: Mutant) -> bool:
        source = self._campaign.build_dir / "model_compiled.c"
        if self._object is None:
            self._object = self._compile(source)
        return bool(self._object) and self._compile(source, mutant) == self._object

    def _sums_wrap(self, mutant: Mutant, places: Sequence[int]) -> bool:
        """Of each of the steps at `places`, with a changed kernel."""
        generated = (self._campaign.build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
        return all(self._wraps(generated, self._campaign.engine.steps[place], mutant) for place in places)

    def _numbers_wrap(self, fault: EngineFault) -> bool:
        generated = (self._campaign.build_dir / FOLDER / SOURCE).read_text(encoding="utf-8")
        engine = self._campaign.engine
        edited = edit_source(generated, engine.regions, fault, mve=engine.mve)
        return edited is not None and self._wraps(edited, fault.operator or 0)

    def _wraps(self, generated: str, number: int, mutant: Mutant | None = None) -> bool:
        """Whether the board's compiler makes the same code of an operator alone where it is told that sums of signed
        numbers wrap."""
        self._folder.mkdir(parents=True, exist_ok=True)
        source = self._folder / "alone.c"
        alone = one_step(generated, number).replace(f"static void step{number}(", f"void step{number}(", 1)
        source.write_text(alone, encoding="utf-8", newline="\n")
        made = self._compile(source, mutant)
        return bool(made) and made == self._compile(source, mutant, "-fwrapv")

    def _compile(self, source: Path, mutant: Mutant | None = None, *more: str) -> bytes:
        """`source` as the board's build compiles it, without what debuggers want; empty where that fails."""
        engine = self._folder / "cross"
        if not engine.is_dir():
            shutil.copytree(ENGINE, engine)
        if mutant:
            mutant.plant(engine)
        build, build_dir = self._campaign.board.build, self._campaign.build_dir.resolve()
        target = self._folder / "cross.o"
        folders = (*(engine / name for name in build.kernels), engine, build_dir, build_dir / FOLDER)
        flags = [f"-std={build.c_standard}", *build.flags, "-O2", "-w", "-ffunction-sections", "-fdata-sections", *more]
        command = [f"{build.toolchain}gcc", *flags, *(f"-I{path}" for path in folders), "-c", str(source.resolve())]
        try:
            done = subprocess.run([*command, "-o", str(target)], capture_output=True, check=False)
        except FileNotFoundError:
            return b""
        finally:
            if mutant:
                mutant.heal(engine)
        return target.read_bytes() if done.returncode == 0 else b""


def judge_all(
    campaign: Campaign, planted: Sequence[Planted], images: tuple[Path, Path] | None, progress: Callable[[int], None]
) -> list[FaultVerdict]:
    """A verdict for each. `images`: the firmware that is used, and the one that traces it, where both are there."""
    constants = set(different_constants(*images)[0]) if images else set()
    compiled = campaign.compiled
    unknowns = Unknowns(compiled.program, compiled.plan, campaign.engine.steps, campaign.engine.tables)
    same = SameOperations(campaign.engine, unknowns, campaign.folder / "same")
    folders = [campaign.folder / f"judge{number}" for number in range(usable_processors())]
    judges = [Judge(campaign, constants, same, folder) for folder in folders]

    def verdict_of(judge: Judge, one: Planted) -> FaultVerdict:
        return by_questions(one, campaign.step_names) or judge.judge(one)

    found = []
    for verdict in each_with_one(judges, verdict_of, planted):
        found.append(verdict)
        progress(len(found))
    return found
