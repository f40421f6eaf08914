# SPDX-License-Identifier: Apache-2.0
"""Two builds side by side as one page: what changed in size, RAM, the cost of each layer, and accuracy."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.files import write_at_once
from tinyproof.report.build_data import BoardResult, read_report_data
from tinyproof.report.chart import Axis, Bars, Figure, Stack
from tinyproof.report.labelled import ClassScore, labelled
from tinyproof.report.memory_figure import memory_figures
from tinyproof.report.network import DECLARATIONS, Network, NetworkRow, network_of
from tinyproof.report.rendering import environment
from tinyproof.report.size_charts import size_stacks
from tinyproof.report.weights import read_model

SHOWN_LAYERS = 40  # in the figure; the table has them all


@dataclass(frozen=True)
class Words:
    """What `compare` has found, as it prints it: a row for each figure, old and new, and which of them got worse.
    `proof` says how many answers of the new build are the reference's."""

    figures: Sequence[Sequence[str]]
    worse: Sequence[str]
    proof: str


@dataclass(frozen=True)
class Side:
    """A build on one board, under the name that it is compared by."""

    name: str
    model_id: str
    board: BoardResult | None
    network: Network | None
    memory: list[Figure]
    scores: list[ClassScore]


@dataclass(frozen=True)
class LayerPair:
    """An operator of both builds; None where only one has it."""

    old: NetworkRow | None
    new: NetworkRow | None

    @property
    def change(self) -> float | None:
        """In percent of the old cost."""
        if self.old is None or self.new is None or not self.old.cost or self.new.cost is None:
            return None
        return 100 * (self.new.cost - self.old.cost) / self.old.cost


def write_comparison(path: Path, names: tuple[str, str], folders: tuple[Path, Path], board: str, words: Words) -> None:
    """Writes one self-contained page. Raises UsageError when a build is damaged."""
    write_at_once(path, render(_side(names[0], folders[0], board), _side(names[1], folders[1], board), board, words))


def render(old: Side, new: Side, board: str, words: Words) -> str:
    """The HTML text."""
    alike = old.network is not None and new.network is not None and old.network.unit == new.network.unit
    layers = pairs(old.network, new.network) if alike and old.network and new.network else []
    return environment().get_template("comparison.html").render(
        old=old,
        new=new,
        board=board,
        words=words,
        stacks=_stacks(old, new),
        arenas=_arenas(old, new),
        layers=layers,
        unit=new.network.unit if new.network else "",
        profiled=bool(new.network and new.network.board),
        alike=alike or old.network is None or new.network is None,
        cost=cost_figure(layers, new.network.unit) if layers and new.network else None,
        classes=list(zip(old.scores, new.scores, strict=True)) if len(old.scores) == len(new.scores) else [],
    )  # fmt: skip


def pairs(old: Network, new: Network) -> list[LayerPair]:
    """Operators that are the same by kind and shape stand in one row, in the order in which they run."""
    ours, theirs = ([row for row in side.rows if row.name not in DECLARATIONS] for side in (new, old))
    before, after = ([(row.name, row.shape) for row in rows] for rows in (theirs, ours))
    found: list[LayerPair] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal" or [name for name, _ in before[a:b]] == [name for name, _ in after[c:d]]:
            found += [LayerPair(*both) for both in zip(theirs[a:b], ours[c:d], strict=True)]
        else:
            found += [LayerPair(row, None) for row in theirs[a:b]]
            found += [LayerPair(None, row) for row in ours[c:d]]
    return found


def cost_figure(layers: Sequence[LayerPair], unit: str) -> Figure | None:
    """Two bars for each layer, the old one at the left; None where nothing costs anything."""
    shown = layers[:SHOWN_LAYERS]
    old = [(place - 0.2, float(pair.old.cost)) for place, pair in enumerate(shown) if pair.old and pair.old.cost]
    new = [(place + 0.2, float(pair.new.cost)) for place, pair in enumerate(shown) if pair.new and pair.new.cost]
    most = max((cost for _, cost in [*old, *new]), default=0.0)
    if not most:
        return None
    every = max(1, -(-len(shown) // 10))
    return Figure(
        "layer-costs",
        "What each layer costs",
        f"{unit} of {len(shown)} layers, old and new; the costliest takes {most:,.0f}.",
        "Counted from 0 in the order of the table, which says which layer is which.",
        Axis("layer", -0.7, len(shown) - 0.3, ticks=tuple(float(place) for place in range(0, len(shown), every))),
        Axis(unit, 0.0, 1.08 * most),
        [Bars(old, 0.36, "faint", "old"), Bars(new, 0.36, "model", "new")],
    )


def _side(name: str, folder: Path, board: str) -> Side:
    data = read_report_data(folder)
    result = next((each for each in data.boards if each.name == board), None)
    results = [result] if result else []
    graph = read_model(folder, data)
    scores = labelled(results)
    return Side(
        name,
        data.manifest.model_id,
        result,
        network_of(graph, results) if graph else None,
        memory_figures(data.manifest),
        scores[0].scores if scores else [],
    )


def _stacks(old: Side, new: Side) -> list[Stack]:
    named = [
        dataclasses.replace(side.board, name=f"{word}: {side.name}")
        for word, side in (("old", old), ("new", new))
        if side.board is not None
    ]
    return size_stacks(named)


def _arenas(old: Side, new: Side) -> list[Figure]:
    """Under names and titles that tell the two apart on one page."""
    return [
        dataclasses.replace(figure, name=f"{figure.name}-{number}", title=f"The arena of {side.name}")
        for number, side in enumerate((old, new), 1)
        for figure in side.memory
    ]
