# SPDX-License-Identifier: Apache-2.0
"""What the report says of a model that was brought: its losses, its labels, what its flash holds."""

from __future__ import annotations

import json
import math
import shutil
import struct
import zlib
from pathlib import Path

import pytest
from support.report_build import CLASSES

from tinyproof.core.manifest import PlannedBytes
from tinyproof.core.origin import ModelSource
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.report.build_data import BoardResult, read_report_data
from tinyproof.report.labelled import class_scores, labelled
from tinyproof.report.losses import difference_figure, loss_figures, worst_answers
from tinyproof.report.memory_figure import memory_figures, peak
from tinyproof.report.network import network_of
from tinyproof.report.page import Content, render
from tinyproof.report.sample_pictures import draw_sample, png
from tinyproof.report.size_charts import LAYERS, speed_rows
from tinyproof.report.treemap import flash_map, squarified


def test_the_worst_samples_are_the_worst_and_are_drawn(brought: Path) -> None:
    data = read_report_data(brought)
    answers = json.loads((brought / "boards" / "reference" / "check.json").read_text())["answers"]
    worst = worst_answers(data)
    assert [answer.error for answer in worst] == sorted((entry["error"] for entry in answers), reverse=True)
    page = (brought / "report.html").read_text(encoding="utf-8")
    assert page.count('class="sample"') == len(answers)
    assert page.count('<polyline class="line target"') >= len(answers)  # three signals over time


def test_every_difference_is_in_the_histogram(brought: Path) -> None:
    figure = difference_figure(read_report_data(brought))
    assert figure is not None
    assert sum(y for mark in figure.marks for _, y in getattr(mark, "points", [])) == 6 * CLASSES
    answers = json.loads((brought / "boards" / "reference" / "check.json").read_text())["answers"]
    farthest = max(entry["error"] for entry in answers) * 256
    assert f"the farthest is {farthest:.3g} steps off" in figure.caption


def test_noise_is_drawn_where_it_was_measured(brought: Path) -> None:
    data = read_report_data(brought)
    graph = read_graph(read_file(brought / "model.tflite"))
    names = [figure.name for figure in loss_figures(data, network_of(graph, data.boards))]
    assert names == ["sqnr", "noise-added", "differences"]
    assert [figure.name for figure in loss_figures(data, network_of(graph, []))] == ["differences"]


def test_what_the_questions_reach_and_how_far_each_layer_went(brought: Path) -> None:
    page = (brought / "report.html").read_text(encoding="utf-8")
    assert "9 are not the same for all of them; and of 24 faults" in page
    assert "18 (75 %) change an answer" in page
    first = page[page.index('id="op-0"') : page.index('id="op-1"')]
    # One step of 0.05 from -128 on: 0 to 12.75, of which 4 are 31.4 %.
    assert "−1.5 to 2.5 in the float model, on gestures.npz: 31.4 % of the range" in first


def test_a_build_without_coverage_or_ranges_says_nothing_of_them(brought: Path, tmp_path: Path) -> None:
    build_dir = Path(shutil.copytree(brought, tmp_path / "earlier"))
    profile = build_dir / "boards" / "reference" / "profile.json"
    document = json.loads(profile.read_text())
    for operator in document["operators"]:
        del operator["float_low"], operator["float_high"]
    profile.write_text(json.dumps(document))
    vectors = json.loads((build_dir / "vectors.json").read_text())
    (build_dir / "vectors.json").write_text(json.dumps({**vectors, "coverage": {"outputs": 1}}))
    page = render(Content.of(build_dir, read_report_data(build_dir)))
    assert "What the questions reach" not in page
    assert "in the float model, on" not in page


def test_the_peak_of_the_arena_is_where_most_bytes_are_in_use(brought: Path) -> None:
    plan = [
        PlannedBytes(use="input", offset=0, bytes=40, first=0, last=1),
        PlannedBytes(use="tensor", offset=20, bytes=40, first=1, last=2),  # over the half that was read
        PlannedBytes(use="tensor", offset=60, bytes=10, first=2, last=3),
        PlannedBytes(use="scratch", offset=100, bytes=9, first=2, last=2),
    ]
    assert peak(plan) == (1, 60)
    assert peak(plan[1:]) == (2, 59)
    (figure,) = memory_figures(read_report_data(brought).manifest)
    assert "Most is in use at step 2, FULLY_CONNECTED: " in figure.caption


@pytest.mark.parametrize(
    ("board", "unit", "cycles", "says"),
    [
        ("qemu-cortex-m4", "insn", 64_000, (1.0, "64,000 cycles by the core's manual, at 64 MHz")),
        ("qemu-cortex-m4", "insn", None, (None, "")),
        ("sim-uno", "cycle", None, (0.5, "cycles at 16 MHz")),
        ("nano33ble", "us", None, (8.0, "measured")),
        ("reference", "us", None, (None, "")),
        ("renode-nrf52840", "us", None, (None, "")),
        ("a board of once", "us", None, (None, "")),
    ],
)
def test_milliseconds_are_said_where_they_are_known(
    board: str, unit: str, cycles: int | None, says: tuple[float | None, str]
) -> None:
    check = {"bits_checked": 1, "engine": "compiled", "ticks_min": 1, "ticks_max": 8000, "tick_unit": unit}
    (row,) = speed_rows([BoardResult(board, None, check, {"cycles": cycles})])
    assert (row["ms"], row["ms_by"]) == says


def test_a_report_of_16_bits_says_so(brought: Path) -> None:
    data = read_report_data(brought)
    assert data.activations == "int8"
    data.manifest.source = ModelSource("a.keras", "keras", "0" * 64, activations="int16")
    page = render(Content.of(brought, data))
    assert "A model in 16-bit integers with 8-bit weights" in page
    assert "8-bit integer q" not in page
    assert "int8 changes" not in page


@pytest.mark.parametrize(
    ("different", "says"), [(0, "all bit-identical"), (2, "from operator 1 (FULLY_CONNECTED) on it")]
)
def test_layers_that_were_compared_one_by_one_are_told(brought: Path, different: int, says: str) -> None:
    data = read_report_data(brought)
    assert "operators write" not in render(Content.of(brought, data))
    first = "operator 1 (FULLY_CONNECTED)" if different else ""
    digests = {"inputs": 256, "layers": 3, "outputs": 3, "different": different, "first_layer": first}
    data.boards[0].check["digests"] = digests
    page = render(Content.of(brought, data))
    assert "what 3 operators write, 3 tensors, was compared for 256 inputs" in page
    assert says in page


def test_labels_give_confusion_precision_recall_and_what_int8_changes(brought: Path) -> None:
    (found,) = labelled(read_report_data(brought).boards)
    accuracy = found.document["accuracy"]
    pairs = list(zip(accuracy["labels"], accuracy["answered"], strict=True))
    assert found.confusion == [[pairs.count((label, answer)) for answer in range(CLASSES)] for label in range(CLASSES)]
    assert [change.sample for change in found.changes] == [7]
    assert found.changed == 1
    page = (brought / "report.html").read_text(encoding="utf-8")
    assert "int8 changes the class of 1 sample:" in page


def test_scores_by_hand() -> None:
    first, second, third = class_scores([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
    assert (first.samples, first.precision, first.recall) == (4, 3 / 5, 3 / 4)
    assert (second.samples, second.precision, second.recall) == (6, 4 / 5, 4 / 6)
    assert (third.samples, third.precision, third.recall) == (0, None, None)


def test_the_parts_of_the_flash_are_all_of_it(brought: Path) -> None:
    data = read_report_data(brought)
    build = data.boards[0].build
    assert build is not None
    graph = read_graph(read_file(brought / "model.tflite"))
    flash = flash_map(data, network_of(graph, []))
    assert flash is not None
    assert flash.total == sum(size.flash_bytes for size in build.layers.values())
    assert sum(tile.amount for tile in flash.tiles) == flash.total
    assert sum(tile.share for tile in flash.tiles) == pytest.approx(1)
    roles = {tile.name: tile.role for tile in flash.tiles}
    parts = {"model's code and tables": "model", "application": "app", "board": "hal", "start-up, C library": "core"}
    assert roles == {name: LAYERS[parts.get(name, "model" if name == "weights" else name)] for name in roles}


def test_tiles_fill_the_rectangle_and_are_as_large_as_their_share() -> None:
    amounts = [600.0, 300.0, 200.0, 40.0, 7.0, 1.0]
    boxes = squarified(amounts, 460, 300)
    for amount, (left, top, width, height) in zip(amounts, boxes, strict=True):
        assert width * height == pytest.approx(460 * 300 * amount / sum(amounts))
        assert min(left, top) >= 0
        assert left + width <= 460 + 1e-6
        assert top + height <= 300 + 1e-6
    for number, (left, top, width, height) in enumerate(boxes):
        for other_left, other_top, other_width, other_height in boxes[:number]:
            over_x = min(left + width, other_left + other_width) - max(left, other_left)
            over_y = min(top + height, other_top + other_height) - max(top, other_top)
            assert min(over_x, over_y) <= 1e-6


@pytest.mark.parametrize(
    ("shape", "element"),
    [
        ((1, 28, 28, 1), "<image"), ((1, 96, 96, 3), "<image"), ((1, 49, 10, 1), "<image"),
        ((1, 32, 1, 3), "<polyline"), ((1, 640), "<polyline"), ((1, 5), "<path"), ((1, 1), "<path"),
        ((1, 3, 3, 40), None),
    ],
)  # fmt: skip
def test_samples_are_drawn_as_what_they_are(shape: tuple[int, ...], element: str | None) -> None:
    values = [math.sin(place) for place in range(math.prod(shape))]
    drawing = draw_sample(values, shape, "words & more")
    assert (element in drawing) if element else drawing == ""
    assert draw_sample(values[1:], shape, "too few") == ""


def test_a_png_holds_its_pixels() -> None:
    content = png(bytes(range(12)), 2, 2, 3)
    start = content.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", content[start - 8 : start - 4])
    assert zlib.decompress(content[start : start + length]) == b"\0" + bytes(range(6)) + b"\0" + bytes(range(6, 12))
