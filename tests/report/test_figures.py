# SPDX-License-Identifier: Apache-2.0
"""The figures' numbers, against the trace and the vectors."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from support.report_build import X, Y
from support.tflite_writer import Model

from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.origin import NeuronTraining
from tinyproof.report import figures, quantization, weights
from tinyproof.report.build_data import read_report_data, read_trace, thin
from tinyproof.report.chart import Axis, Bars, Dots, Figure, Line, Segments, linear_ticks, log_ticks, short
from tinyproof.report.size_charts import peer_table, size_stacks


def mark(figure: Figure, move: str) -> Any:
    return next(mark for mark in figure.marks if getattr(mark, "move", "") == move)


def weights_of(folder: Path) -> list[weights.WeightRow]:
    data = read_report_data(folder)
    graph = weights.read_model(folder, data)
    assert graph is not None
    return weights.weight_rows(graph, weights.learned_values(folder, data, graph))


@pytest.fixture(scope="module")
def drawn(finished: Path) -> dict[str, Figure]:
    data = read_report_data(finished)
    assert data.lesson is not None
    return {figure.name: figure for figure in figures.lesson_figures(data.lesson)}


@pytest.fixture(scope="module")
def trace(finished: Path) -> list[dict[str, float]]:
    with (finished / "trace.csv").open(newline="") as file:
        return [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]


def test_residuals_join_data_and_first_guess(drawn: dict[str, Figure]) -> None:
    residuals = mark(drawn["guess"], "residuals")
    assert isinstance(residuals, Segments)
    assert residuals.pieces == [((x, y), (x, 10 * x - 10)) for x, y in zip(X, Y, strict=True)]


def test_predictions_and_errors_of_the_first_guess(drawn: dict[str, Figure]) -> None:
    predictions, errors = mark(drawn["predicted"], "predictions"), mark(drawn["squares"], "errors")
    assert isinstance(predictions, Dots)
    assert isinstance(errors, Bars)
    assert [p for _, p in predictions.points] == [-20, -10, 0, 10, 20, 30]
    assert [e for _, e in errors.points] == [-17, -9, -1, 7, 15, 23]
    assert mark(drawn["squares"], "mean").points[0][1] == pytest.approx(3)
    assert mark(drawn["squares"], "rmse-level").points[0][1] == pytest.approx(13.988, abs=5e-4)


def test_the_descent_shows_every_step_of_the_trace(drawn: dict[str, Figure], trace: list[dict[str, float]]) -> None:
    whole = drawn["descent"].marks[0]
    assert isinstance(whole, Line)
    assert whole.points == [(row["step"], row["rmse"]) for row in trace]
    assert [round(y, 3) for _, y in whole.points[:3]] == [13.988, 12.885, 11.935]
    assert drawn["descent"].y.log


@pytest.mark.parametrize("along", ["w", "b"])
def test_parabolas_have_their_minimum_where_algebra_says(drawn: dict[str, Figure], along: str) -> None:
    figure = drawn[f"parabola-{along}"]
    # d/dw mean((wx + b - y)^2) = 0 at w = (mean(xy) - b mean(x)) / mean(x^2); along b at b = mean(y) - w mean(x).
    n = len(X)
    mean_x, mean_y = sum(X) / n, sum(Y) / n
    mean_xx, mean_xy = sum(x * x for x in X) / n, sum(x * y for x, y in zip(X, Y, strict=True)) / n
    expected = (mean_xy + 10 * mean_x) / mean_xx if along == "w" else mean_y - 10 * mean_x
    ((at, height),) = mark(figure, f"bottom-{along}").points
    assert at == pytest.approx(expected)
    curve = mark(figure, f"parabola-{along}").points
    lowest = min(curve, key=lambda point: point[1])
    assert lowest[0] == pytest.approx(expected, abs=(curve[1][0] - curve[0][0]))
    assert all(y >= height - 1e-9 for _, y in curve)


def test_the_tangents_slope_is_the_gradient(drawn: dict[str, Figure], trace: list[dict[str, float]]) -> None:
    for along in ("w", "b"):
        (x0, y0), (x1, y1) = mark(drawn[f"parabola-{along}"], f"tangent-{along}").points
        assert (y1 - y0) / (x1 - x0) == pytest.approx(trace[0][f"grad_{along}"])


def test_the_path_is_the_traces(drawn: dict[str, Figure], trace: list[dict[str, float]]) -> None:
    whole = next(m for m in drawn["path"].marks if isinstance(m, Line) and m.label == "path of the training")
    assert whole.points == [(row["w"], row["b"]) for row in trace]


def test_learning_rates_are_real_runs_and_the_largest_diverges(finished: Path, trace: list[dict[str, float]]) -> None:
    data = read_report_data(finished)
    assert data.lesson is not None
    runs = {name: run for _, name, run in figures.compared_rates(data.lesson)}
    for k in range(0, 60, 7):
        assert runs["this training"].rmse[k] == pytest.approx(trace[k]["rmse"], rel=1e-6)
    assert runs["too large"].diverged
    assert not runs["about right"].diverged
    assert runs["about right"].rmse[-1] < runs["this training"].rmse[-1] < runs["too small"].rmse[-1]


def test_transfer_points_are_the_vectors(finished: Path) -> None:
    data = read_report_data(finished)
    vectors = json.loads((finished / "vectors.json").read_text())["vectors"]
    source, sink = data.manifest.inputs[0], data.manifest.outputs[0]
    points = quantization.samples(data)
    assert points is not None
    assert len(points) == 256
    for point, vector in zip(points, vectors, strict=True):
        y_q = int.from_bytes(bytes.fromhex(vector["out"]), "little", signed=True)
        assert point.y == pytest.approx(sink.scale * (y_q - sink.zero_point))
        assert point.x == pytest.approx(source.scale * point.x_q)
        training = data.manifest.training
        assert isinstance(training, NeuronTraining)
        y_float = training.w * point.x + training.b
        assert point.error_steps == pytest.approx((point.y - y_float) / sink.scale, abs=1e-5)
        assert point.saturated or abs(point.error_steps or 0) < 1


def test_any_float_model_of_one_number_is_drawn(build_copy: Path) -> None:
    """The curve of a model that is no line, as exported: every point of it is in the figures, and the error follows."""
    rows = [(x_q, 20 / 255 * x_q, math.sin(0.02 * x_q)) for x_q in range(-154, 154)]
    path = build_copy / "float.csv"
    path.write_text("x_q,x,y\n" + "".join(f"{x_q},{x!r},{y!r}\n" for x_q, x, y in rows))
    data = read_report_data(build_copy)
    whole, close, error = quantization.quantization_figures(data)
    (line,) = (mark for mark in whole.marks if isinstance(mark, Line))
    assert set(line.points) <= {(x, y) for _, x, y in rows}
    assert len(line.points) > 256
    step = data.manifest.outputs[0].scale
    points = quantization.samples(data)
    assert points is not None
    assert [point.error_steps for point in points] == [(p.y - math.sin(0.02 * p.x_q)) / step for p in points]
    assert len(next(mark for mark in close.marks if isinstance(mark, Line)).points) == quantization.CLOSE_UP
    assert len(next(mark for mark in error.marks if isinstance(mark, Dots)).points) == 256


@pytest.mark.parametrize(("text", "says"), [("x_q,x\n1,2\n", "is damaged"), (None, "is missing")])
def test_a_damaged_curve_is_named(build_copy: Path, text: str | None, says: str) -> None:
    path = build_copy / "float.csv"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=rf"float\.csv {says}.*export again"):
        read_report_data(build_copy)


def test_without_a_float_model_only_int8_is_drawn(build_copy: Path) -> None:
    manifest = read_manifest(build_copy)
    del manifest.artefacts["float.csv"]
    manifest.write(build_copy)
    figures = quantization.quantization_figures(read_report_data(build_copy))
    assert [figure.name for figure in figures] == ["transfer", "close-up"]


def test_saturation_is_marked_where_the_answer_stays_at_its_end(build_copy: Path) -> None:
    path = build_copy / "vectors.json"
    document = json.loads(path.read_text())
    for vector in document["vectors"][200:]:
        vector["out"] = "7f"
    path.write_text(json.dumps(document))
    data = read_report_data(build_copy)
    points = quantization.samples(data)
    assert points is not None
    ranges = quantization.saturated_ranges(points)
    assert len(ranges) == 1
    # Input number 200 is x_q = 72; near the very end 127 is the right answer, so the mark ends there.
    assert ranges[0][0] == pytest.approx(20 / 255 * 71.5)


def test_weights_before_and_after(finished: Path) -> None:
    weight, bias = weights_of(finished)
    assert (weight.before, weight.stored, weight.after) == ("2.01888", "127", "2.01888")
    assert bias.dtype == "int32"
    assert float(bias.after) == pytest.approx(float(bias.before), abs=0.001)


def test_weights_of_a_model_that_was_brought_are_those_of_its_float_file(build_copy: Path) -> None:
    """Two channels with a scale each: what is stored stands for the float value, to half a step."""
    learned = [0.5, -1.0, 0.004, 0.002]
    build = Model()
    x = build.input((1, 2), 0.1)
    scales = (1 / 127, 0.004 / 127)
    stored = [round(value / scales[place // 2]) for place, value in enumerate(learned)]
    weights_q = build.tensor((2, 2), scales, 0, stored)
    y = build.tensor((1, 2), 0.2)
    build.add("FULLY_CONNECTED", [x, weights_q], [y])
    (build_copy / "model.tflite").write_bytes(build.build(y))
    original = Model()
    x = original.input((1, 2), dtype="float32")
    w = original.tensor((2, 2), None, 0, learned, "float32")
    y = original.tensor((1, 2), None, dtype="float32")
    original.add("FULLY_CONNECTED", [x, w], [y])
    (build_copy / "model_float.tflite").write_bytes(original.build(y))
    manifest = read_manifest(build_copy)
    manifest.training = None
    manifest.add_artefact(build_copy / "model_float.tflite")
    manifest.write(build_copy)
    (row,) = weights_of(build_copy)
    assert row.before == "0.5, -1, …"
    assert row.stored == "64, -127, …"
    assert row.after == "0.504, -1, …"
    manifest.artefacts.pop("model_float.tflite")
    manifest.write(build_copy)
    assert weights_of(build_copy)[0].before == ""


def test_sizes_are_those_of_the_build_and_peers_are_found_by_macs(finished: Path) -> None:
    data = read_report_data(finished)
    flash, ram = size_stacks(data.boards)
    assert sum(flash.rows[0][1].values()) == 4708
    assert sum(ram.rows[0][1].values()) == 400
    peers = peer_table(data)
    assert peers is not None
    assert peers["rows"][0]["flash_bytes"] == 108
    assert [row.get("instructions") for row in peers["rows"][1:]] == [571, 548, 526]
    assert "90b983c2" in peers["source"]


def test_results_of_another_model_are_left_out(build_copy: Path) -> None:
    path = build_copy / "boards" / "reference" / "check.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_id": "0" * 16}))
    data = read_report_data(build_copy)
    assert [board.name for board in data.boards] == ["qemu-cortex-m4"]
    assert data.outdated == ["reference"]


def test_a_board_that_another_version_built_withholds_no_other(build_copy: Path) -> None:
    older = build_copy / "boards" / "qemu-cortex-m0"
    older.mkdir()
    record = json.loads((build_copy / "boards" / "qemu-cortex-m4" / "build.json").read_text())
    (older / "build.json").write_text(json.dumps({key: value for key, value in record.items() if key != "ram"}))
    data = read_report_data(build_copy)
    assert "qemu-cortex-m4" in [board.name for board in data.boards]
    assert data.outdated == ["qemu-cortex-m0"]


def test_a_damaged_trace_is_named(build_copy: Path) -> None:
    (build_copy / "trace.csv").write_text("step,w\n1,x\n")
    with pytest.raises(UsageError, match=r"trace\.csv is damaged.*train again"):
        read_report_data(build_copy)


def test_a_long_trace_is_thinned_with_both_ends_kept(finished: Path) -> None:
    rows = read_trace(finished / "trace.csv")
    thinned = thin(rows, 100)
    assert len(thinned) <= 100
    assert thinned[:10] == rows[:10]
    assert thinned[-1] == rows[-1]
    assert thin(rows, 1000) == rows


def test_ticks_are_round_and_inside() -> None:
    assert linear_ticks(-2.3, 9.9) == (-2, 0, 2, 4, 6, 8)
    assert log_ticks(0.01, 1000) == pytest.approx((0.01, 0.1, 1, 10, 100, 1000))
    assert log_ticks(3, 30) == (5, 10, 20)
    assert [short(value) for value in (-2.0, 0.0, 1e6, 2.5e-5)] == ["−2", "0", "10⁶", "2.5·10⁻⁵"]


def test_an_axis_never_runs_away() -> None:
    axis = Axis("y", 1, 10, log=True)
    assert axis.unit(1) == 0
    assert axis.unit(10) == 1
    assert -3 <= axis.unit(0) < 0
    assert axis.unit(1e300) == 4
