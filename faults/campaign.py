# SPDX-License-Identifier: Apache-2.0
"""Plants faults of all kinds into one build, and counts what a default check of a simulated board finds of them."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.processors import usable_processors
from tinyproof.core.tflite.layer_probes import LayerProbe
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.codegen import Unit, generate
from tinyproof.export.compiled import Compiled, read_compiled
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.profile_codegen import write_profile
from tinyproof.export.schedules import schedule
from tinyproof.faults.arena import overlapping_plans
from tinyproof.faults.bits import OFF_BY_ONE, NumberFaults, layer_name
from tinyproof.faults.channels import channel_faults, wrongly_removed
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.kinds import BITS, KINDS, quotas
from tinyproof.faults.mutants import Mutant, kernel_files, mutants, roundings, sample_mutants
from tinyproof.faults.native.engine import NativeEngine, Seen
from tinyproof.faults.native.source import ENGINE, GccRefusedError, engine_source
from tinyproof.faults.questions import questions_of
from tinyproof.faults.sharing import each_with_one

NATIVE = frozenset(kind for kind in KINDS if kind != "firmware")
MANY = 1 << 30  # where nobody has counted how many there are
MAX_REMOVED, MAX_ARENA = 40, 80


@dataclass(frozen=True)
class Variant:
    """What has to be compiled anew: another program, or one changed kernel."""

    fault: EngineFault
    program: Program
    plan: MemoryPlan
    unit: Unit
    own_tables: bool = False
    mutant: Mutant | None = None


@dataclass
class Planted:
    """A fault, and what became of it. `seen`: what the questions showed on this machine."""

    fault: EngineFault
    seen: Seen
    variant: Variant | None = None

    @property
    def mutant(self) -> Mutant | None:
        """The changed kernel, where there is one."""
        return self.variant.mutant if self.variant else None


@dataclass
class Campaign:
    """Of one build, as `board` runs it. `folder`: where is compiled; the same `seed` plants the same faults."""

    build_dir: Path
    board: Board
    folder: Path
    seed: int
    compiled: Compiled = field(init=False)
    engine: NativeEngine = field(init=False)
    probes: list[LayerProbe | str] = field(init=False)

    def __post_init__(self) -> None:
        """Raises UsageError where the build is none, EnvironmentFaultError without gcc."""
        self.compiled = read_compiled(self.build_dir)
        questions = questions_of(self.build_dir, self.compiled)
        program, plan, unit = self.compiled.program, self.compiled.plan, self.compiled.unit
        self.probes = [operator.probe for operator in questions.operators]
        self.engine = NativeEngine(program, plan, unit, self.folder, self.board.build.kernels, questions)
        self.engine.check_sound()
        if not self.compiled.program.branches:
            write_profile(self.build_dir)  # what proofs are about
        self.exhaustive = len(set(questions.inputs)) == 256 and len(questions.inputs[0]) == 1

    def choose(self, kinds: Sequence[str], count: int) -> tuple[list[EngineFault], list[Variant]]:
        """About `count` faults of `kinds`: such as change numbers, and such as are compiled."""
        numbers = NumberFaults(self.compiled.program, self.engine.regions, self.engine.mve)
        sites = self._mutants() if "kernels" in kinds else []
        rounding = self._variants_of("rounding", roundings(self._files())) if "rounding" in kinds else []
        room = {kind: numbers.room(kind) for kind in (*BITS, *OFF_BY_ONE) if kind in kinds}
        room |= {kind: most for kind, most in (("channels", MANY), ("removed", MAX_REMOVED)) if kind in kinds}
        room |= {"arena": MAX_ARENA} if "arena" in kinds else {}
        room |= {"kernels": sum(map(len, sites))} if "kernels" in kinds else {}
        wanted = quotas(max(0, count - len(rounding)), room)
        faults: list[EngineFault] = []
        variants: list[Variant] = list(rounding)
        for kind, number in wanted.items():
            source = random.Random(f"{self.seed} {kind}")
            if kind == "channels":
                faults += channel_faults(
                    self.compiled.program, self.engine.regions, number, source, mve=self.engine.mve
                )
            elif kind == "removed":
                variants += self._removed(number, source)
            elif kind == "arena":
                variants += self._arena(number, source)
            elif kind == "kernels":
                variants += self._variants_of(kind, sample_mutants(sites, number, source))
            else:
                faults += numbers.sample(kind, number, source)
        missing = count - len(faults) - len(variants)  # of what nobody could count before
        if missing > 0:
            faults += self._more(numbers, wanted, missing)
        return faults, variants

    def _more(self, numbers: NumberFaults, wanted: dict[str, int], missing: int) -> list[EngineFault]:
        """In the place of faults that there are fewer of than was thought: other ones in numbers."""
        kinds = [kind for kind in wanted if kind in BITS or kind in OFF_BY_ONE]
        more = quotas(missing, {kind: numbers.room(kind) - wanted[kind] for kind in kinds})
        found: list[EngineFault] = []
        for kind, number in more.items():
            source = random.Random(f"{self.seed} {kind}")
            found += numbers.sample(kind, wanted[kind] + number, source)[wanted[kind] :]
        return found

    def _files(self) -> list[str]:
        source = engine_source(self.compiled.program, self.compiled.plan, self.compiled.unit)
        return kernel_files(source, self.folder, self.board.build.kernels)

    def _mutants(self) -> list[list[Mutant]]:
        return mutants(self._files(), self.engine.executed_lines(self.folder / "lines"))

    def _variants_of(self, kind: str, found: Sequence[Mutant]) -> list[Variant]:
        program, plan, unit = self.compiled.program, self.compiled.plan, self.compiled.unit
        return [Variant(EngineFault(kind, None, "", str(one)), program, plan, unit, mutant=one) for one in found]

    def _removed(self, count: int, source: random.Random) -> list[Variant]:
        graph = read_graph(read_file(self.build_dir / "model.tflite"))
        found = []
        for place, program in wrongly_removed(graph, self.compiled.program, count, source):
            choice = schedule(program)
            unit = generate(choice.program, choice.plan)
            found.append(
                Variant(EngineFault("removed", None, "", place), choice.program, choice.plan, unit, own_tables=True)
            )
        return found

    def _arena(self, count: int, source: random.Random) -> list[Variant]:
        program = self.compiled.program
        return [
            Variant(EngineFault("arena", None, "", place), program, plan, generate(program, plan))
            for place, plan in overlapping_plans(program, self.compiled.plan, count, source)
        ]

    def run(
        self, faults: Sequence[EngineFault], variants: Sequence[Variant], progress: Callable[[str, int, int], None]
    ) -> list[Planted]:
        """What becomes of each; what gcc refuses is no fault, and is left out. `progress`: what is done, how many are
        done, and of how many."""
        numbers = [(fault.operator or 0, fault.changes) for fault in faults]
        seen = self.engine.plant(numbers, lambda done: progress("planted", done, len(faults)))
        found = [Planted(fault, one) for fault, one in zip(faults, seen, strict=True)]
        for number, planted in enumerate(self._compile_all(variants)):
            progress("compiled", number + 1, len(variants))
            if planted is not None:
                found.append(planted)
        return found

    def _compile_all(self, variants: Sequence[Variant]) -> Iterator[Planted | None]:
        folders = [self.folder / f"other{number}" for number in range(usable_processors())]
        return each_with_one(folders, self._compile, variants)

    def compile_again(self, planted: Planted, folder: Path) -> None:
        """A variant, once more, in `folder`: folder/native is its program."""
        assert planted.variant
        self._compile(folder, dataclasses.replace(planted.variant, own_tables=False))

    @property
    def step_names(self) -> list[str]:
        """What the operators that run are called."""
        return [layer_name(self.compiled.program, number) for number in self.engine.steps]

    def _compile(self, folder: Path, variant: Variant) -> Planted | None:
        own = folder / "tables" if variant.own_tables else folder
        try:
            if variant.mutant is not None:
                if not (own / "engine").is_dir():
                    shutil.copytree(ENGINE, own / "engine")
                variant.mutant.plant(own / "engine")
            seen = self.engine.ask_other(
                own, variant.program, variant.plan, variant.unit, own_tables=variant.own_tables
            )
        except (GccRefusedError, AssertionError):
            return None
        finally:
            if variant.mutant is not None:
                variant.mutant.heal(own / "engine")
        return Planted(variant.fault, seen, variant)
