# SPDX-License-Identifier: Apache-2.0
"""Faults that are none, as an engine with one does the same operations with the same numbers (unknowns.py)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from tinyproof.faults.fault import EngineFault
from tinyproof.faults.mutants import Mutant
from tinyproof.faults.native.engine import NativeEngine, change_line
from tinyproof.faults.native.source import ENGINE, GccRefusedError, run_gcc
from tinyproof.faults.unknowns import NOTHING, PROGRAM, Unknowns, closure_of, functions_of

FLAGS = ("-std=gnu99", "-O2", "-w", "-fwrapv", "-fno-strict-aliasing")


class SameOperations:
    """Of one sound engine, for several threads. `folder`: where is compiled."""

    def __init__(self, engine: NativeEngine, unknowns: Unknowns, folder: Path) -> None:
        self._engine, self._unknowns, self._folder = engine, unknowns, folder
        self._lock = threading.Lock()
        self._made = False
        self._text = self._rest = ""
        self._bodies: dict[str, str] = {}
        self._digests: list[str] = []
        self._alone: dict[int, bytes] = {}

    def of_numbers(self, fault: EngineFault, *, wraps: bool = False) -> bool:
        """Whether a fault in tables and parameters is none. `wraps`: where sums of signed numbers wrap."""
        self._make()
        step = self._engine.steps.index(fault.operator or 0)
        if not self._digests or self._digests[step].startswith(NOTHING):
            return False
        line = change_line(step, fault.changes)
        return self._unknowns.run_changed(self._folder, line, wraps=wraps) == self._digests[step]

    def different_steps(self, mutant: Mutant, folder: Path) -> Sequence[int] | None:
        """The steps that may do something else with a changed kernel, by their places; None where nothing is known.
        `folder`: of one thread."""
        self._make()
        (folder / PROGRAM).unlink(missing_ok=True)  # of another mutant
        engine = folder / "engine"
        if not engine.is_dir():
            shutil.copytree(ENGINE, engine)
        mutant.plant(engine)
        try:
            text = self._engine.text(folder, engine)
        except (GccRefusedError, AssertionError):
            return None
        finally:
            mutant.heal(engine)
        places = self._changed_text(text)
        if places and self._digests and self._unknowns.compile(text, folder):
            places = self._other_digests(folder, places)
        return [place for place in places if not self._same_code(text, place, folder)]

    def wrapping_steps(self, places: Sequence[int], folder: Path) -> Sequence[int]:
        """Of the steps at `places`, as different_steps in `folder` has just found them, those that do something else
        with a changed kernel even where sums of signed numbers wrap."""
        if not (folder / PROGRAM).is_file():
            return places
        return self._other_digests(folder, places, wraps=True)

    def _other_digests(self, folder: Path, places: Sequence[int], *, wraps: bool = False) -> list[int]:
        digests = self._unknowns.run(folder, places, wraps=wraps) or [NOTHING] * len(places)
        return [
            place
            for place, digest in zip(places, digests, strict=True)
            if digest.startswith(NOTHING) or digest != self._digests[place]
        ]

    def _changed_text(self, text: str) -> list[int]:
        """The steps of which something that they may run has another text."""
        bodies, rest = functions_of(text)
        places = range(len(self._engine.steps))
        if rest != self._rest:
            return list(places)
        names = [f"step{self._engine.steps[place]}" for place in places]
        return [place for place in places if closure_of(names[place], bodies) != closure_of(names[place], self._bodies)]

    def _make(self) -> None:
        with self._lock:
            if not self._made:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._text = self._engine.text(self._folder)
                self._bodies, self._rest = functions_of(self._text)
                names = [region.name for region in self._engine.regions]
                if self._unknowns.compile(self._text, self._folder, names):
                    self._digests = self._unknowns.run(self._folder, range(len(self._engine.steps)))
                self._made = True

    def _same_code(self, text: str, place: int, folder: Path) -> bool:
        """Whether the compiler makes the same of a step alone, with all that it calls."""
        number = self._engine.steps[place]
        with self._lock:
            if number not in self._alone:
                self._alone[number] = self._object(self._text, number, self._folder)
        made = self._object(text, number, folder)
        return bool(made) and made == self._alone[number]

    @staticmethod
    def _object(text: str, number: int, folder: Path) -> bytes:
        """Of one operator: what nobody calls of the rest is left out. Empty where it is no C."""
        alone = text.replace(f"static void step{number}(", f"void step{number}(", 1).rpartition("void model_begin(")[0]
        (folder / "alone.c").write_text(alone, encoding="utf-8", newline="\n")
        try:
            run_gcc(["gcc", *FLAGS, "-c", "alone.c", "-o", "alone.o"], folder)
        except GccRefusedError:
            return b""
        return (folder / "alone.o").read_bytes()
