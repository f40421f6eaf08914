# SPDX-License-Identifier: Apache-2.0
"""The network as a picture and a table, of a model that was brought."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.report.build_data import read_report_data
from tinyproof.report.layer_names import layer_name
from tinyproof.report.network import draw_network, network_of


def test_costs_are_the_boards_where_it_was_profiled_else_counted(brought: Path) -> None:
    graph = read_graph(read_file(brought / "model.tflite"))
    boards = read_report_data(brought).boards
    profile = json.loads((brought / "boards" / "reference" / "profile.json").read_text())["operators"]
    network = network_of(graph, boards)
    assert (network.unit, network.board) == ("instructions", "reference")
    assert [row.cost for row in network.rows] == [entry["ticks"] for entry in profile]
    assert [row.sqnr_db for row in network.rows] == [entry["sqnr_db"] for entry in profile]
    assert network.costliest is network.rows[0]
    assert network.noisiest is network.rows[2]
    counted = network_of(graph, [dataclasses.replace(board, profile={}) for board in boards])
    assert [row.cost for row in counted.rows] == [16 * 8 * 3 * 3, 10 * 128, None]
    assert counted.unit == "multiplications"


def test_each_operator_says_what_it_is(brought: Path) -> None:
    first, second, third = network_of(read_graph(read_file(brought / "model.tflite")), []).rows
    assert (first.shape, first.dtype, first.weight_bytes) == ("1 × 16 × 1 × 8", "int8", 8 * 9 + 8 * 4)
    assert (sum(first.weights), sum(second.weights), third.weights) == (8 * 9, 10 * 128, [])
    assert second.sources == [first.index]
    assert first.limits is not None
    assert first.limits == pytest.approx((0.0, 255 * 0.05))
    wide, unsigned, index = (dataclasses.replace(first, dtype=dtype) for dtype in ("int16", "uint8", "int32"))
    assert wide.limits == pytest.approx(((-32768 + 128) * 0.05, (32767 + 128) * 0.05))
    assert unsigned.limits == pytest.approx((128 * 0.05, (255 + 128) * 0.05))
    assert index.limits is None


def test_the_bars_are_as_wide_as_the_cost_and_lead_to_the_operator(brought: Path) -> None:
    network = network_of(read_graph(read_file(brought / "model.tflite")), read_report_data(brought).boards)
    drawing = draw_network(network)
    widths = [
        float(width) for width in re.findall(r'<rect class="fill \w+" x="[^"]*" y="[^"]*" width="([^"]*)"', drawing)
    ]
    for row, width in zip(network.rows, widths, strict=True):
        assert width / widths[0] == pytest.approx(row.share / network.rows[0].share, abs=0.01)
    page = (brought / "report.html").read_text(encoding="utf-8")
    for target in re.findall(r'href="#(op-\d+)"', drawing):
        assert page.count(f'id="{target}"') == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sequential_1/conv_1/convolution;sequential_1/conv_1/Relu", "conv_1/convolution"),
        ("sequential_1/conv_1", "conv_1"),
        ("gestures_1/mean_1/Mean", "mean_1/Mean"),
        ("conv_1/Relu", "conv_1/Relu"),
        ("Identity", "Identity"),
        ("", "unnamed"),
        ("a" * 30 + "b" * 30, "a" * 21 + "…" + "b" * 21),
    ],
)
def test_tensors_are_named_as_keras_names_its_layers(name: str, shown: str) -> None:
    assert layer_name(name) == shown
