# SPDX-License-Identifier: Apache-2.0
"""Which of many inputs let the fewest faults pass: asked of the golden reference, and climbed towards where none says
enough.

Everything is counted in inferences, never in seconds, so that the choice is the same on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.ends import Ends
from tinyproof.core.tflite.graph import Graph, Tensor
from tinyproof.export.vectors import candidates
from tinyproof.export.vectors.planted import LOAD_RUNS, Detector, PlantedFault, Planter

Array = npt.NDArray[np.int64]

POOL_SHARE = 0.2  # of the inferences that may be spent: for candidates,
CLIMB_SHARE = 0.25  # for climbing, and the rest for faults
MAX_TARGETS = 64  # outputs of which each is to win once
CLIMB_STEPS = 24  # without success, before a target is given up
MEETINGS = 4  # halvings between two inputs with different winners
END_WEIGHT = 0.05  # of an output at its end, where changes do not show
KNOWN_WEIGHT = 0.4  # of a value that another input brought already
EASY = 3  # faults that one of the first few inputs shows are no measure of the others
MAX_HARD = 64
_SQUASHING = ("SOFTMAX", "LOGISTIC", "LOG_SOFTMAX", "TANH")


@dataclass
class Asked:
    """Inputs that were asked, and their answers: [N][output bytes]."""

    inputs: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)

    def add(self, reference: Reference, content: bytes) -> int | None:
        """The number of an input that is new; None where it is known, or where the reference gives up on it."""
        content = reference.admit(content)
        if content in self.inputs:
            return None
        try:
            answer = reference.run(content)
        except InputFileError:
            return None
        self.inputs.append(content)
        self.outputs.append(answer)
        return len(self.inputs) - 1


class Search:
    """Chooses `count` inputs for a model without state, at a cost of about `runs` inferences."""

    def __init__(self, tflite: bytes, graph: Graph, ends: Ends, reference: Reference, seed: int, runs: int) -> None:
        self._ends, self._reference, self._seed, self._runs = ends, reference, seed, runs
        self._planter = Planter(tflite, graph)
        self._source = random.Random(f"{seed} search")
        self._pool = Asked()
        self._logits = _before_squashing(graph, ends)

    def choose(self, given: Sequence[bytes], count: int) -> tuple[list[bytes], list[bytes]]:
        """(inputs, outputs). `given`: samples of a user's, which are candidates before all others."""
        for content in self._candidates(given, max(count, round(POOL_SHARE * self._runs))):
            self._pool.add(self._reference, content)
        noise = random.Random(f"{self._seed} more noise")
        for _ in range(4 * count):  # patterns of a few bytes are often the same
            if len(self._pool.inputs) >= count:
                break
            self._pool.add(self._reference, noise.randbytes(self._reference.input_bytes))
        if not self._pool.inputs:  # the reference gives up on all of them: let it say so
            self._reference.run(self._reference.admit(bytes(self._reference.input_bytes)))
        self._climb(round(CLIMB_SHARE * self._runs / 2))
        self._meet(round(CLIMB_SHARE * self._runs / 2))
        shown = self._shown_faults(round((1 - POOL_SHARE - CLIMB_SHARE) * self._runs))
        values = self._values()
        order = _by_gain(self._sensitivities(values), values, shown, count)
        return [self._pool.inputs[number] for number in order], [self._pool.outputs[number] for number in order]

    def _values(self) -> Array:
        """[N, elements of all outputs]."""
        return np.stack([_row(output, self._ends.outputs) for output in self._pool.outputs])

    def _sensitivities(self, values: Array) -> npt.NDArray[np.float64]:
        """[N, outputs], up to 1: how much of a change before it an output lets through. What squashes has its steepest
        place in the middle; others let all through but at their ends."""
        ends = [(DTYPES[t.dtype].low, DTYPES[t.dtype].high) for t in self._ends.outputs for _ in range(t.elements)]
        low, high = np.array(ends, np.float64).T
        above, below = (values - low) / (high - low), (high - values) / (high - low)
        slope = 4 * above * below if self._logits is not None else (above * below > 0).astype(np.float64)
        weights: npt.NDArray[np.float64] = END_WEIGHT + (1 - END_WEIGHT) * slope
        return weights

    def _candidates(self, given: Sequence[bytes], count: int) -> list[bytes]:
        tensors, seed = self._ends.inputs, self._seed
        step = max(1, -(-len(given) * 4 // max(1, count)))
        found = list(given[::step])
        found += candidates.structured(tensors, count // 3, seed)
        found += candidates.low(tensors, count // 3, seed)
        found += candidates.blends(found, tensors, count // 6, seed)
        noise = random.Random(f"{seed} noise")
        return found + [noise.randbytes(self._reference.input_bytes) for _ in range(max(0, count - len(found)))]

    def _climb(self, runs: int) -> None:
        """Every output is to be the largest once. Where a squashing operator ends the model, the numbers before it say
        how far that is."""
        if len(self._ends.outputs) != 1 or not 1 < self._ends.outputs[0].elements <= MAX_TARGETS or not runs:
            return
        known = [self._height(number) for number in range(len(self._pool.inputs))]
        cost = 1 if self._logits is None else 2
        winners = {int(heights.argmax()) for heights in known}
        targets = [target for target in range(self._ends.outputs[0].elements) if target not in winners]
        for target in targets:
            spent = 0
            best = max(range(len(known)), key=lambda number: _lead(known[number], target))
            failures = 0
            while failures < CLIMB_STEPS and spent < runs // len(targets) and _lead(known[best], target) <= 0:
                other = self._source.choice(self._pool.inputs)
                step = candidates.neighbour(self._pool.inputs[best], other, self._ends.inputs, self._source)
                spent += cost
                number = self._pool.add(self._reference, step)
                if number is None:
                    failures += 1
                    continue
                known.append(self._height(number, fresh=True))
                better = _lead(known[number], target) > _lead(known[best], target)
                best, failures = (number, 0) if better else (best, failures + 1)

    def _meet(self, runs: int) -> None:
        """Between two inputs with different winners lies one to which both answers are as large: there a small change
        shows in both, where elsewhere one is at its upper end and all others are at their lower one."""
        winners = self._values().argmax(1)
        groups = [np.flatnonzero(winners == winner).tolist() for winner in sorted(set(winners.tolist()))]
        if len(groups) < 2:
            return
        for _ in range(runs // MEETINGS):
            first, second = (self._source.choice(group) for group in self._source.sample(groups, 2))
            ends, mine = [self._pool.inputs[first], self._pool.inputs[second]], winners[first]
            for _ in range(MEETINGS):
                middle = candidates.middle(ends[0], ends[1], self._ends.inputs)
                number = self._pool.add(self._reference, middle)
                if number is None:
                    break
                answer = _row(self._pool.outputs[number], self._ends.outputs)
                ends[0 if answer.argmax() == mine else 1] = middle

    def _height(self, number: int, *, fresh: bool = False) -> Array:
        """Of each output, the number that decides which is the largest. `fresh`: the input was the last one asked."""
        if self._logits is None:
            return _row(self._pool.outputs[number], self._ends.outputs)
        if not fresh:
            self._reference.run(self._pool.inputs[number])
        return _row(self._reference.tensors([self._logits.index])[0], (self._logits,))

    def _shown_faults(self, runs: int) -> npt.NDArray[np.bool_]:
        """[N, faults]: which inputs show which planted faults, of such as are hard to see."""
        detector = Detector(self._pool.inputs, self._pool.outputs)
        everything = len(self._pool.inputs)
        columns: list[list[bool]] = []
        tries = 0
        for fault in self._planter.faults(self._seed):
            tries += 1
            if len(columns) == MAX_HARD or tries > runs or (columns and detector.runs + everything > runs):
                break
            damaged = self._load(detector, fault)
            first = self._source.sample(range(everything), min(EASY, everything))
            if damaged is None or detector.finds(damaged, first) is not None:
                continue
            column = [detector.finds(damaged, [number]) is not None for number in range(everything)]
            if any(column):
                columns.append(column)
        return np.array(columns, bool).reshape(-1, everything).T

    def _load(self, detector: Detector, fault: PlantedFault) -> Reference | None:
        """None where the damage leaves no model."""
        detector.runs += LOAD_RUNS
        try:
            return self._planter.load(fault)
        except InputFileError:
            return None


def _lead(heights: Array, target: int) -> int:
    """By how much output `target` is above all others."""
    return int(heights[target] - np.delete(heights, target).max())


def _before_squashing(graph: Graph, ends: Ends) -> Tensor | None:
    """What enters the operator that makes the output, where that only squashes it."""
    if len(ends.outputs) != 1 or not ends.operators:
        return None
    last = ends.operators[-1]
    if last.name not in _SQUASHING or last.outputs != (ends.outputs[0].index,):
        return None
    before = graph.tensors[last.inputs[0]]
    computed = {index for operator in ends.operators for index in operator.outputs}
    return before if before.elements == ends.outputs[0].elements and before.index in computed else None


def _row(content: bytes, tensors: Sequence[Tensor]) -> Array:
    """The elements of all of them."""
    return np.concatenate(candidates.parts_of(content, tensors))


def _by_gain(
    sensitivities: npt.NDArray[np.float64], values: Array, shown: npt.NDArray[np.bool_], count: int
) -> list[int]:
    """Numbers of inputs, each of which adds most to those before it: hard faults that are shown, each time for half as
    much, and values of outputs, new ones above all. One of each winner comes early."""
    fresh = np.ones(values.shape, bool)
    winners = values.argmax(1)
    unmet = set(winners.tolist()) if 1 < values.shape[1] <= MAX_TARGETS else set()
    worth = np.ones(shown.shape[1])
    order: list[int] = []
    for _ in range(min(count, len(values))):
        gains = (sensitivities * np.where(fresh, 1.0, KNOWN_WEIGHT)).mean(1)
        if worth.size:
            gains = gains / max(gains.max(), 1e-9) + 2 * shown @ worth / max(1e-9, (shown @ worth).max())
        if unmet and len(order) % 2:  # in turns with those that are best whoever wins
            gains = np.where(np.isin(winners, list(unmet)), gains, -1.0)
        gains[order] = -2.0
        best = int(gains.argmax())
        order.append(best)
        unmet.discard(int(winners[best]))
        fresh &= values != values[best]
        worth[shown[best]] /= 2
    return order
