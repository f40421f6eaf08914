# SPDX-License-Identifier: Apache-2.0
"""The training against independent oracles: a NumPy descent, Keras's own `model.fit`, and the lesson's figures."""

from __future__ import annotations

import csv
import dataclasses
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyproof.core.config import TrainConfig
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import read_manifest, stale_artefacts
from tinyproof.core.origin import Neuron, NeuronTraining, TrainingPoints
from tinyproof.core.tensorflow_settings import ENVIRONMENT
from tinyproof.export.keras_quantizer import quiet
from tinyproof.train.backend import load
from tinyproof.train.descent import DescentStep, build_neuron, descend, largest_stable_learning_rate, neuron_descent
from tinyproof.train.training import TRACE_COLUMNS, speedup_over_fit, train_model, validate
from tinyproof.train.training_data import LESSON_X, LESSON_Y, lesson

LESSON = TrainConfig()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build_dir = tmp_path_factory.mktemp("build") / "neuron"
    train_model(LESSON, build_dir)
    return build_dir


def read_trace(build_dir: Path) -> dict[str, np.ndarray]:
    with (build_dir / "trace.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == TRACE_COLUMNS
    return {name: np.array([float(row[name]) for row in rows]) for name in TRACE_COLUMNS}


def numpy_descent(w: float, b: float, rate: float, steps: int, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Written from the formulas alone, in float64: dL/dw = 2 mean(e x), dL/db = 2 mean(e), e = wx + b - y."""
    rows = []
    for step in range(steps + 1):
        error = w * x + b - y
        grad_w, grad_b = 2 * np.mean(error * x), 2 * np.mean(error)
        rows.append((step, w, b, np.mean(error**2), np.sqrt(np.mean(error**2)), grad_w, grad_b))
        w, b = w - rate * grad_w, b - rate * grad_b
    return dict(zip(TRACE_COLUMNS, np.array(rows).T, strict=True))


def fitted(config: TrainConfig, x: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[float]]:
    model = build_neuron(config.w, config.b, config.learning_rate)
    history = model.fit(
        x.astype("float32").reshape(-1, 1),
        y.astype("float32").reshape(-1, 1),
        batch_size=len(x),
        epochs=config.steps,
        shuffle=False,
        verbose=0,
    )
    return [weights.ravel() for weights in model.get_weights()], history.history["rmse"]


def test_every_step_agrees_with_numpy(trained: Path) -> None:
    trace = read_trace(trained)
    oracle = numpy_descent(10, -10, 0.01, 500, np.array(LESSON_X), np.array(LESSON_Y))
    assert len(trace["step"]) == 501
    for name in TRACE_COLUMNS:
        np.testing.assert_allclose(trace[name], oracle[name], rtol=1e-6, atol=1e-5, err_msg=name)


def test_the_lessons_reference_values(trained: Path) -> None:
    trace = read_trace(trained)
    assert [round(rmse, 3) for rmse in trace["rmse"][:3]] == [13.988, 12.885, 11.935]
    assert trace["w"][-1] == pytest.approx(2.018878, abs=1e-6)
    assert trace["b"][-1] == pytest.approx(-1.058526, abs=1e-6)
    assert np.all(np.diff(trace["loss"]) < 0), "below the stable learning rate each guess is a better one"


def test_weights_equal_those_of_model_fit(tmp_path: Path) -> None:
    config = dataclasses.replace(LESSON, steps=30)
    manifest = train_model(config, tmp_path)
    (w, b), rmse = fitted(config, np.array(LESSON_X), np.array(LESSON_Y))
    assert isinstance(manifest.training, NeuronTraining)
    assert (manifest.training.w, manifest.training.b) == (float(w[0]), float(b[0]))
    np.testing.assert_allclose(read_trace(tmp_path)["rmse"][:-1], rmse, rtol=1e-6)


def test_other_data_agree_with_numpy_and_model_fit(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    x = random.uniform(-3, 3, 17).astype("float32")
    y = (0.5 * x + 2 + random.normal(0, 0.1, 17)).astype("float32")
    path = tmp_path / "noisy.csv"
    path.write_text("x,y\n" + "".join(f"{a:.9g},{b:.9g}\n" for a, b in zip(x, y, strict=True)))
    config = TrainConfig(w=-1, b=0.5, learning_rate=0.05, steps=31, data=str(path))
    manifest = train_model(config, tmp_path / "noisy")
    oracle = numpy_descent(-1, 0.5, 0.05, 31, x.astype("float64"), y.astype("float64"))
    trace = read_trace(tmp_path / "noisy")
    for name in TRACE_COLUMNS:
        np.testing.assert_allclose(trace[name], oracle[name], rtol=1e-5, atol=1e-5, err_msg=name)
    (w, b), _ = fitted(config, x, y)
    assert isinstance(manifest.training, NeuronTraining)
    assert (manifest.training.w, manifest.training.b) == pytest.approx((float(w[0]), float(b[0])), abs=1e-6)
    assert manifest.training.data.source == "noisy.csv"
    assert manifest.training.data.x == pytest.approx(x.tolist(), rel=1e-7)
    assert manifest.training.rule is None


def test_the_saved_model_is_the_trained_one_and_can_go_on(trained: Path) -> None:
    _, keras = load()
    model = keras.models.load_model(trained / "model.keras")
    trace, x, y = read_trace(trained), np.array([LESSON_X], "float32").T, np.array([LESSON_Y], "float32").T
    assert float(model.layers[0].kernel.numpy()[0, 0]) == np.float32(trace["w"][-1])
    assert int(model.optimizer.iterations.numpy()) == 500
    loss, rmse = model.evaluate(x, y, verbose=0)
    assert (loss, rmse) == pytest.approx((trace["loss"][-1], trace["rmse"][-1]), rel=1e-5)
    model.fit(x, y, batch_size=6, epochs=1, shuffle=False, verbose=0)
    after = trace["w"][-1] - 0.01 * trace["grad_w"][-1]
    assert float(model.layers[0].kernel.numpy()[0, 0]) == pytest.approx(after, abs=1e-6)


def test_the_manifest_tells_where_the_model_comes_from(trained: Path) -> None:
    manifest, trace = read_manifest(trained), read_trace(trained)
    training = manifest.training
    assert isinstance(training, NeuronTraining)
    assert training.kind == "neuron"
    for ours, value in ((training.w, trace["w"][-1]), (training.b, trace["b"][-1])):
        assert np.float32(ours) == np.float32(value)
    assert round(training.rmse_first, 3) == 13.988
    assert training.rmse_last == pytest.approx(trace["rmse"][-1], rel=1e-8)
    assert (training.learning_rate, training.steps) == (0.01, 500)
    assert training.guess == Neuron(10.0, -10.0)
    assert training.data == TrainingPoints("the lesson", lesson().sha256, list(LESSON_X), list(LESSON_Y))
    assert training.rule == Neuron(2.0, -1.0)
    assert manifest.seeds == {"train": 1}
    assert set(manifest.versions) == {"tinyproof", "python", "tensorflow", "keras", "numpy"}
    assert set(manifest.artefacts) == {"model.keras", "trace.csv"}
    assert stale_artefacts(manifest, trained) == []


def test_the_same_input_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "neuron"
    train_model(LESSON, again)
    names = sorted(path.name for path in trained.iterdir())
    assert names == ["manifest.json", "model.keras", "trace.csv"] == sorted(path.name for path in again.iterdir())
    for name in names:
        assert (again / name).read_bytes() == (trained / name).read_bytes(), name
    with zipfile.ZipFile(again / "model.keras") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b'"date_saved": "1980-' in archive.read("metadata.json")


@pytest.mark.parametrize("steps", [1, 2, 24, 26, 51])
def test_chunks_never_lose_or_repeat_a_step(tmp_path: Path, steps: int) -> None:
    seen: list[DescentStep] = []
    train_model(dataclasses.replace(LESSON, steps=steps), tmp_path, seen.append)
    trace = read_trace(tmp_path)
    assert trace["step"].tolist() == list(range(steps + 1))
    assert seen[-1].step == steps
    assert [step.step for step in seen] == sorted({step.step for step in seen})
    oracle = numpy_descent(10, -10, 0.01, steps, np.array(LESSON_X), np.array(LESSON_Y))
    np.testing.assert_allclose(trace["w"], oracle["w"], atol=1e-5)


def test_progress_is_live(tmp_path: Path) -> None:
    seen: list[DescentStep] = []
    train_model(LESSON, tmp_path, seen.append)
    assert 10 <= len(seen) <= 50
    assert seen[0].rmse > seen[-1].rmse


def test_the_largest_stable_learning_rate_is_where_numpy_turns() -> None:
    x, y = np.array(LESSON_X), np.array(LESSON_Y)
    limit = largest_stable_learning_rate(LESSON_X)
    hessian = 2 * np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1]])
    assert limit == pytest.approx(2 / np.linalg.eigvalsh(hessian)[-1], rel=1e-12)
    below, above = (numpy_descent(10, -10, limit * factor, 4000, x, y)["rmse"][-1] for factor in (0.999, 1.001))
    assert below < 1
    assert above > 100


@pytest.mark.parametrize(("rate", "why"), [(0.5, "range of float32"), (1e30, "range of float32"), (0.178, "RMSE rose")])
def test_a_rate_that_diverges_is_an_error_and_leaves_the_build_as_it_was(tmp_path: Path, rate: float, why: str) -> None:
    folder = tmp_path / "line"
    train_model(dataclasses.replace(LESSON, steps=1), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UsageError) as raised:
        train_model(dataclasses.replace(LESSON, learning_rate=rate), folder)
    with np.errstate(over="ignore", invalid="ignore"):
        loss = numpy_descent(10, -10, rate, 40, np.array(LESSON_X), np.array(LESSON_Y))["loss"]
    # Six squares are added up before the division, so it is their sum that leaves float32 first.
    bound = loss[0] if why == "RMSE rose" else np.finfo("float32").max / 6
    message = raised.value.message
    assert f"diverged at step {np.argmax(loss > bound)}:" in message
    assert why in message
    assert f"learning rate {rate:g}" in message
    assert "largest stable one is 0.1769," in message
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(tmp_path.iterdir()) == [folder], "nothing half-written is left"


def test_the_rate_that_the_error_recommends_trains(tmp_path: Path) -> None:
    manifest = train_model(dataclasses.replace(LESSON, learning_rate=0.1769), tmp_path)
    assert isinstance(manifest.training, NeuronTraining)
    assert manifest.training.rmse_last < manifest.training.rmse_first


@pytest.mark.parametrize(("w", "y"), [(1e25, 1.0), (10.0, 1e30)])
def test_numbers_too_large_for_the_loss_blame_the_numbers(tmp_path: Path, w: float, y: float) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"x,y\n1,{y:g}\n2,{y:g}\n")
    with pytest.raises(UsageError, match=r"at step 0: .*scale the data \(points\.csv\)"):
        train_model(TrainConfig(w=w, data=str(path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unusable_data_leave_the_previous_model_alone(tmp_path: Path) -> None:
    train_model(dataclasses.replace(LESSON, steps=1), tmp_path)
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(InputFileError):
        train_model(dataclasses.replace(LESSON, data="no/such.csv"), tmp_path)
    assert (tmp_path / "model.keras").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": 0}, "steps must be from 1"),
        ({"steps": 1_000_001}, "steps must be from 1"),
        ({"learning_rate": 0.0}, "learning rate must be above 0"),
        ({"learning_rate": -0.01}, "learning rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite"),
        ({"learning_rate": float("inf")}, "learning_rate must be a finite"),
        ({"w": float("nan")}, "w must be a finite"),
        ({"b": -1e39}, "b must be a finite"),
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**32}, "seed must be from 0"),
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        validate(dataclasses.replace(LESSON, **change))


@pytest.mark.nightly
def test_the_loop_is_at_least_twenty_times_as_fast_as_fit() -> None:
    seconds, ratio = speedup_over_fit(LESSON, 60)
    assert 0 < seconds < 1
    assert ratio > 20


def test_the_final_state_is_the_model_that_the_descent_leaves() -> None:
    model = build_neuron(10, -10, 0.01)
    *_, last = descend(neuron_descent(model, lesson()), 7)
    assert [step.step for step in last] == [7]
    assert (last[0].w, last[0].b) == tuple(float(weights.ravel()[0]) for weights in model.get_weights())


def test_training_and_conversion_import_tensorflow_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever comes first in a process settles how TensorFlow computes: a model's bytes would tell the order."""
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "somebody else's")
    with quiet():
        assert {name: os.environ[name] for name in ENVIRONMENT} == ENVIRONMENT
