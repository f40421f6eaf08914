# SPDX-License-Identifier: Apache-2.0
"""What a row of the operators' table is, how it is proven, and how a refusal is.

The rows stand in op_rows, a file for each family. A row's cases depend on its name alone: they are the same ones every
time, whatever other rows there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from support import effort
from support.op_cases import Case, assert_bit_exact
from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.base import Op

EXAMPLES = effort.examples(0)  # cases that each row draws at least
FEW = 3  # as many cases as no day leaves out
SHARING = 8  # rows that are proven by one program by day: for one with few cases, gcc takes longer than for the cases

Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class Row:
    """Models in which an operator works, all to be bit-exact.

    `count` of them make one program, by day one in thirteen, and `programs` programs are run. `prove` raises
    AssertionError where one differs.
    """

    operator: str
    label: str
    cases: st.SearchStrategy[Case]
    count: int = 40
    programs: int = 1
    prove: Callable[[Sequence[Case]], None] = assert_bit_exact

    @property
    def name(self) -> str:
        return f"{self.operator}-{self.label}"

    @property
    def drawn(self) -> int:
        """How many cases a program has today: compiling them is what takes the time."""
        return self.count if effort.nightly else min(self.count, max(FEW, self.count // 13))


@dataclass(frozen=True)
class Refusal:
    """A model whose first operator is refused by its name, in words that match `says`."""

    operator: str
    tflite: bytes
    says: str

    @property
    def name(self) -> str:
        return f"{self.operator}-{self.says}"


def draw(strategy: st.SearchStrategy[Drawn], name: str, count: int) -> list[Drawn]:
    """`count` draws, the same ones for the same name. The first one is the simplest that there is."""
    drawn: list[Drawn] = []

    @seed(zlib.crc32(name.encode()))
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Drawn) -> None:
        drawn.append(value)

    collect()
    return drawn


def draw_programs(row: Row) -> list[list[Case]]:
    """The cases of each program, each case once. The first of all is the simplest that there is.

    Those of a night come after the usual ones, from seeds of their own: within one run hypothesis soon repeats itself.
    """
    count = max(row.programs, -(-EXAMPLES // row.drawn))
    strategy = st.lists(row.cases, min_size=row.drawn, max_size=row.drawn)
    (simplest, *_), *lists = draw(strategy, row.name, row.programs + 1)
    lists += [draw(strategy, f"{row.name} {number}", 2)[-1] for number in range(row.programs, count)]
    programs = [list({(case.tflite, case.aliased): case for case in cases}.values()) for cases in lists]
    assert len(programs) == count, f"{row.name}: {len(programs)} programs could be drawn of {count}"
    assert all(2 * len(cases) > row.drawn for cases in programs), f"{row.name}: most of its cases are the same"
    if simplest not in programs[0]:
        programs[0].insert(0, simplest)
    return programs


def deal_out(rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """The rows, each with the number of those that it shares programs with: they are proven by the same function."""
    dealt: list[tuple[int, Row]] = []
    number = 0
    for prove in dict.fromkeys(row.prove for row in rows):
        alike = [row for row in rows if row.prove is prove]
        dealt += [(number + place // SHARING, row) for place, row in enumerate(alike)]
        number = dealt[-1][0] + 1
    return dealt


def prove_together(rows: Sequence[Row]) -> None:
    """Proves rows of one function, of each of them the same number of programs at once. Raises as it does."""
    for cases in zip_longest(*map(draw_programs, rows), fillvalue=[]):
        rows[0].prove([case for row_cases in cases for case in row_cases])


def draw_seed(row: Row) -> bytes:
    """A model for the fuzz test: the simplest but one, since the simplest is of one element."""
    return draw(row.cases, row.name, 2)[-1].tflite


def only_op(tflite: bytes) -> Op:
    """What a model of one operator becomes."""
    (op,) = lower(read_graph(tflite)).ops
    return op


def assert_refused(name: str, tflite: bytes, says: str) -> None:
    """The model's first operator is refused by its name, in words that match `says`."""
    with pytest.raises(InputFileError, match=rf"operator 0 \({name}\): .*{says}"):
        lower(read_graph(tflite))
