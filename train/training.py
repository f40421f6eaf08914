# SPDX-License-Identifier: Apache-2.0
"""The lesson of one neuron: from a guess down the gradient to the rule, with a record of every step."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyproof.core import paths
from tinyproof.core.config import TrainConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.files import replaced_whole
from tinyproof.core.manifest import FILE as MANIFEST_FILE
from tinyproof.core.manifest import Manifest
from tinyproof.core.origin import Neuron, NeuronTraining, Training, TrainingPoints
from tinyproof.core.version import __version__
from tinyproof.train.backend import load
from tinyproof.train.descent import DescentStep, build_neuron, descend, largest_stable_learning_rate, neuron_descent
from tinyproof.train.keras_file import save_model
from tinyproof.train.training_data import FLOAT32_MAX, Data, lesson, read_csv

MODEL_FILE = "model.keras"
TRACE_FILE = "trace.csv"
TRACE_COLUMNS = ("step", "w", "b", "loss", "rmse", "grad_w", "grad_b")
MAX_STEPS = 1_000_000  # the trace keeps every step: about 80 MB
MAX_SEED = 2**32 - 1  # what NumPy and Keras accept


def train_model(
    config: TrainConfig, build_dir: Path, progress: Callable[[DescentStep], None] | None = None
) -> Manifest:
    """Train y = wx + b by full-batch SGD; write model.keras, trace.csv and the first manifest.json to `build_dir`.

    `progress` is called about 25 times, with the latest step each time. trace.csv has steps + 1 rows: row k is the
    state before update k with the gradient that the update used; the last row is the final state.
    Raises UsageError for settings out of range and for a descent that diverges, InputFileError for unusable data.
    Either leaves the build as it was.
    """
    validate(config)
    data = read_data(config)
    _, keras = load()
    keras.utils.set_random_seed(config.seed)
    model = build_neuron(config.w, config.b, config.learning_rate)
    steps = record(model, data, config, progress)
    training = NeuronTraining(
        kind="neuron",
        w=steps[-1].w,
        b=steps[-1].b,
        rmse_first=steps[0].rmse,
        rmse_last=steps[-1].rmse,
        learning_rate=config.learning_rate,
        steps=config.steps,
        guess=Neuron(config.w, config.b),
        data=TrainingPoints(data.source, data.sha256, list(data.x), list(data.y)),
        rule=data.rule,
    )
    with replaced_whole(build_dir, MANIFEST_FILE, empty=True) as folder:
        save_model(model, folder / MODEL_FILE)
        write_trace(steps, folder / TRACE_FILE)
        return start_manifest(folder, config.seed, training)


def validate(config: TrainConfig) -> None:
    """Raises UsageError naming the setting that cannot be trained with. Needs no TensorFlow."""
    for name in ("w", "b", "learning_rate"):
        value = getattr(config, name)
        if not abs(value) <= FLOAT32_MAX:
            raise UsageError(f"{name} must be a finite float32 number, not {value:g}")
    if not config.learning_rate > 0:
        raise UsageError(f"learning rate must be above 0, not {config.learning_rate:g}; 0.01 suits the lesson")
    if not 1 <= config.steps <= MAX_STEPS:
        raise UsageError(f"steps must be from 1 to {MAX_STEPS:,}, not {config.steps:,}")
    if not 0 <= config.seed <= MAX_SEED:
        raise UsageError(f"seed must be from 0 to {MAX_SEED:,}, not {config.seed:,}")


def read_data(config: TrainConfig) -> Data:
    """The CSV that the configuration names, relative to the project, or the lesson's points."""
    return read_csv(paths.CONFIG_FILE.parent / config.data) if config.data else lesson()


def record(
    model: Any, data: Data, config: TrainConfig, progress: Callable[[DescentStep], None] | None = None
) -> list[DescentStep]:
    """Train `model` in place; returns all steps and the final state. Raises UsageError where the descent diverges."""
    steps: list[DescentStep] = []
    for chunk in descend(neuron_descent(model, data), config.steps):
        broken = next((step for step in chunk if not step.is_finite()), None)
        if broken:
            raise _diverged(broken.step, "the loss left the range of float32", config, data)
        steps += chunk
        if progress:
            progress(steps[-1])
    # Below the limit the loss falls with each step, whatever the data; above it the model may still be finite.
    if config.learning_rate > largest_stable_learning_rate(data.x) and steps[-1].loss > steps[0].loss:
        rise = next(step for step in steps if step.loss > steps[0].loss)
        raise _diverged(rise.step, f"RMSE rose from {steps[0].rmse:.6g} to {rise.rmse:.6g}", config, data)
    return steps


def _diverged(step: int, what: str, config: TrainConfig, data: Data) -> UsageError:
    rate = config.learning_rate
    limit = largest_stable_learning_rate(data.x)
    if step == 0 or rate <= limit:
        return UsageError(
            f"training cannot go on at step {step}: {what}, with learning rate {rate:g}; "
            f"scale the data ({data.source}) to smaller numbers, or guess w and b closer to them"
        )
    return UsageError(
        f"training diverged at step {step}: {what}, because learning rate {rate:g} is too large for these data; "
        f"the largest stable one is {_round_down(limit)}, see --learning-rate"
    )


def _round_down(value: float) -> str:
    """Four significant digits, never more than `value`, so that what the message says can be used as it stands."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 3)
    return f"{math.floor(value / unit) * unit:.4g}"


def write_trace(steps: list[DescentStep], path: Path) -> None:
    """CSV with nine significant digits, which name a float32 uniquely."""
    lines = [",".join(TRACE_COLUMNS)]
    for step in steps:
        lines.append(",".join([str(step.step), *(f"{getattr(step, name):.9g}" for name in TRACE_COLUMNS[1:])]))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def start_manifest(build_dir: Path, seed: int, training: Training) -> Manifest:
    """Write manifest.json for the files that training left in `build_dir`."""
    tensorflow, keras = load()
    import numpy

    manifest = Manifest(
        build_dir.name,
        seeds={"train": seed},
        versions={
            "tinyproof": __version__,
            "python": platform.python_version(),
            "tensorflow": tensorflow.__version__,
            "keras": keras.__version__,
            "numpy": numpy.__version__,
        },
        training=training,
    )
    for name in (MODEL_FILE, TRACE_FILE):
        if (build_dir / name).exists():
            manifest.add_artefact(build_dir / name)
    manifest.write(build_dir)
    return manifest


def speedup_over_fit(config: TrainConfig, steps: int) -> tuple[float, float]:
    """Seconds of our recorded loop over `steps`, and how many times longer plain `model.fit` takes for as many epochs.

    Both run here, one after the other, each on a fresh model and after a warm-up that leaves out graph building.
    """
    data = read_data(config)
    load()
    import numpy

    ours = build_neuron(config.w, config.b, config.learning_rate)
    descent = neuron_descent(ours, data)
    guess = ours.get_weights()
    list(descend(descent, steps))
    ours.set_weights(guess)
    start = time.perf_counter()
    list(descend(descent, steps))
    ours_s = time.perf_counter() - start

    plain = build_neuron(config.w, config.b, config.learning_rate)
    x, y = (numpy.array(column, "float32").reshape(-1, 1) for column in (data.x, data.y))
    plain.fit(x, y, batch_size=len(x), shuffle=False, epochs=2, verbose=0)
    plain.set_weights(guess)
    start = time.perf_counter()
    plain.fit(x, y, batch_size=len(x), shuffle=False, epochs=steps, verbose=0)
    return ours_s, (time.perf_counter() - start) / ours_s
