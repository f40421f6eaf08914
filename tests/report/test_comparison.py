# SPDX-License-Identifier: Apache-2.0
"""The page of two builds side by side."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from support.report_build import CLASSES

from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.report.build_data import read_report_data
from tinyproof.report.comparison import cost_figure, pairs
from tinyproof.report.network import Network, network_of


def network(brought: Path) -> Network:
    return network_of(read_graph(read_file(brought / "model.tflite")), read_report_data(brought).boards)


def without(one: Network, index: int) -> Network:
    return dataclasses.replace(one, rows=[row for row in one.rows if row.index != index])


def test_the_page_says_what_changed(compared: Path) -> None:
    page = (compared / "report.html").read_text(encoding="utf-8")
    assert "✗ Worse" in page
    assert "Beyond its limit: flash B." in page
    assert '<td data-label="change" class="right">+2.2%</td>' in page
    assert "<script" not in page
    row = page[page.index('<th scope="row">0 CONV_2D</th>') :].split("</tr>")[0]
    assert [cell in row for cell in (">9,000<", ">18,000<", 'class="right no">100<')] == [True] * 3
    assert page.count('id="svg-memory-plan-1"') == page.count('id="svg-memory-plan-2"') == 1
    classes = page[page.index('<section id="classes">') :]
    assert classes.count('<th scope="row">') == CLASSES


def test_layers_are_paired_by_what_they_are(brought: Path) -> None:
    whole = network(brought)
    same = pairs(whole, whole)
    assert [(pair.old, pair.new) for pair in same] == [(row, row) for row in whole.rows]
    assert [pair.change for pair in same] == [0.0] * 3
    shorter = pairs(whole, without(whole, 1))
    assert [(pair.old is None, pair.new is None) for pair in shorter] == [(False, False), (False, True), (False, False)]
    longer = pairs(without(whole, 1), whole)
    assert [(pair.old is None, pair.new is None) for pair in longer] == [(False, False), (True, False), (False, False)]
    grown = dataclasses.replace(whole, rows=[dataclasses.replace(row, shape="1 × 99") for row in whole.rows])
    assert all(pair.old and pair.new for pair in pairs(whole, grown)), "of other shapes, yet the same layers"


def test_both_costs_are_in_the_figure(brought: Path) -> None:
    whole = network(brought)
    figure = cost_figure(pairs(without(whole, 1), whole), "instructions")
    assert figure is not None
    old, new = figure.marks
    assert [y for _, y in getattr(old, "points", [])] == [9000, 500]
    assert [y for _, y in getattr(new, "points", [])] == [9000, 1500, 500]
    assert cost_figure([], "instructions") is None
