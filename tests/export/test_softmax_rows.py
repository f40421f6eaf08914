# SPDX-License-Identifier: Apache-2.0
"""Rows that are chosen for a SOFTMAX show what is wrong by a last bit, which rows by chance do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from support.tflite_writer import Model

from tinyproof.core.tflite import fixed_point
from tinyproof.core.tflite.layer_probes import BESIDE
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.softmax import Softmax
from tinyproof.export.softmax_rows import softmax_rows
from tinyproof.export.softmax_shares import telling_distances

Row = Sequence[int]  # distances to its maximum
FLAT, STEEP = 0.08, 0.1447  # scales of the input: of the former all distances count, of the latter 96
FLATTEST = 0.014636218547821045  # of MLPerf Tiny's vww


def softmax_of(depth: int, scale: float, rows: int = 1) -> Softmax:
    model = Model()
    x, y = model.input((rows, depth), scale, 3), model.tensor((rows, depth), 1 / 256, -128)
    model.add("SOFTMAX", [x], [y], beta=1.0)
    (op,) = lower(read_graph(model.build(y))).ops
    assert isinstance(op, Softmax)
    return op


def chosen(op: Softmax) -> list[Row]:
    found = []
    for content in softmax_rows(op):
        rows = np.frombuffer(content, np.int8).astype(int).reshape(-1, op.depth)
        assert (rows == rows[0]).all()
        found.append((rows[0].max() - rows[0]).tolist())
    return found


def beside_the_greatest(op: Softmax) -> list[Row]:
    """Distances of the same rows to the byte that is beside them."""
    contents = [np.frombuffer(content, np.int8)[: op.depth].astype(int) for content in softmax_rows(op)]
    return [(BESIDE - row).tolist() for row in contents]


def by_chance(op: Softmax, count: int) -> list[Row]:
    rows = np.random.default_rng(5).integers(-128, 128, (count, op.depth))
    distances: list[Row] = (rows.max(axis=1, keepdims=True) - rows).tolist()
    return distances


def total_of(op: Softmax, row: Row) -> int:
    near = [distance for distance in row if distance < len(op.exponentials)]
    return sum(fixed_point.rounding_shift_right(op.exponentials[distance], 12) for distance in near)


def answers(op: Softmax, row: Row, total: int) -> list[int]:
    """reference/softmax.h behind a row's sum."""
    headroom = 32 - total.bit_length()
    scale = fixed_point.one_over_one_plus((total << headroom) - 2**31)
    shares = (
        fixed_point.doubling_high_multiply(scale, op.exponentials[distance]) if distance < len(op.exponentials) else 0
        for distance in row
    )
    return [min(fixed_point.rounding_shift_right(share, 12 - headroom + 23), 255) for share in shares]


def without_the_least(op: Softmax, row: Row) -> int:
    last = len(op.exponentials) - 1
    return total_of(op, row) - row.count(last) * fixed_point.rounding_shift_right(op.exponentials[last], 12)


WRONG_SUMS: dict[str, Callable[[Softmax, Row], int]] = {
    "begins with 1": lambda op, row: total_of(op, row) + 1,
    "one too little": lambda op, row: total_of(op, row) - 1,
    "each term one too much": lambda op, row: total_of(op, row) + len(row),
    "without the least term": without_the_least,
}


@pytest.mark.parametrize("wrong", WRONG_SUMS)
@pytest.mark.parametrize("depth", [5, 12, 64])
def test_a_wrong_sum_shows(depth: int, wrong: str) -> None:
    op = softmax_of(depth, STEEP)
    changed = WRONG_SUMS[wrong]
    assert any(answers(op, row, total_of(op, row)) != answers(op, row, changed(op, row)) for row in chosen(op))
    if depth == 12 and wrong == "without the least term":
        rows = by_chance(op, 1000)
        assert all(answers(op, row, total_of(op, row)) == answers(op, row, changed(op, row)) for row in rows)


@pytest.mark.parametrize(("depth", "scale"), [(2, FLATTEST), (2, STEEP), (3, FLAT), (5, FLATTEST), (12, STEEP)])
def test_a_greater_byte_that_is_taken_for_the_maximum_shows(depth: int, scale: float) -> None:
    op = softmax_of(depth, scale)
    rows = [(row, moved) for row, moved in zip(chosen(op), beside_the_greatest(op), strict=True) if row != moved]
    assert rows
    assert all(answers(op, row, total_of(op, row)) != answers(op, moved, total_of(op, moved)) for row, moved in rows)


def test_of_two_nearly_no_height_shows_it() -> None:
    op = softmax_of(2, FLATTEST)
    rows = [(0, distance) for distance in range(256)]
    assert sum(far > 0 for far in telling_distances(op.exponentials, rows)) == 1


@pytest.mark.parametrize("depth", [10, 12])
def test_a_product_that_is_cut_off_shows(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    op = softmax_of(depth, STEEP)
    rows, others = chosen(op), by_chance(op, 1000)
    right = [answers(op, row, total_of(op, row)) for row in (*rows, *others)]
    monkeypatch.setattr(fixed_point, "doubling_high_multiply", lambda a, b: (a * b + 2**29) >> 31)
    wrong = [answers(op, row, total_of(op, row)) for row in (*rows, *others)]
    assert right[: len(rows)] != wrong[: len(rows)]
    assert right[len(rows) :] == wrong[len(rows) :]


def from_a_tie(total: int, exponential: int) -> int:
    """By how many last bits an exponential's share of a sum is off what lies between two bytes: reference/softmax.h."""
    headroom = 32 - total.bit_length()
    scale = fixed_point.one_over_one_plus((total << headroom) - 2**31)
    product = fixed_point.doubling_high_multiply(scale, exponential)
    unit = 1 << 12 - headroom + 23
    return abs(product % unit - unit // 2)


@pytest.mark.parametrize("depth", [3, 10])
def test_rows_are_chosen_by_their_sums_or_shares(depth: int) -> None:
    op = softmax_of(depth, FLAT, rows=2)
    powers, ties, steps = 0, 0, 0
    for row in chosen(op):
        total = total_of(op, row)
        is_power = any((total + off).bit_count() == 1 for off in (-1, 0, 1))
        near = [op.exponentials[distance] for distance in row if distance < len(op.exponentials)]
        is_tie = min(from_a_tie(total, one) for one in near) <= 2
        is_step = any(answers(op, row, total) != answers(op, row, total + off) for off in (-1, 1))
        assert is_power or is_tie or is_step
        powers, ties, steps = powers + is_power, ties + is_tie, steps + is_step
    assert steps >= 3
    assert depth == 3 or min(powers, ties) >= 3


def test_of_two_there_are_all_and_of_very_many_none() -> None:
    assert sorted(abs(row[0] - row[1]) for row in chosen(softmax_of(2, FLAT))) == list(range(256))
    assert chosen(softmax_of(65, FLAT)) == []
