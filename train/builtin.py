# SPDX-License-Identifier: Apache-2.0
"""Models beyond the lesson's neuron, for measuring and testing: small, seeded, the same bytes each time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tinyproof.core.manifest import Manifest
from tinyproof.core.origin import SampledFunction, SineTraining, Training, Untrained
from tinyproof.train.backend import load
from tinyproof.train.descent import Descent
from tinyproof.train.keras_file import save_model
from tinyproof.train.training import MODEL_FILE, TRACE_FILE, start_manifest

SINE_SEED = 2
SINE_POINTS = 256
SINE_STEPS = 6000
SINE_LEARNING_RATE = 0.01
SINE_HIDDEN = (16, 16)
WIDE_SEED = 13
WIDE_LAYERS = ((24, "relu6"), (32, "relu"), (8, "relu"), (3, "linear"))


def make_sine(build_dir: Path) -> Manifest:
    """Train y = sin(x) on [0, 2 pi] with a 1-16-16-1 relu network, the shape of TFLM's hello_world.

    A single neuron cannot tell TFLM's rounding from other implementations'; two hidden layers can.
    """
    _, keras = load()
    layers = [(width, "relu") for width in SINE_HIDDEN]
    schedule = keras.optimizers.schedules.CosineDecay(SINE_LEARNING_RATE, SINE_STEPS, name="cosine_decay")
    model = _build("sine", [*layers, (1, "linear")], SINE_SEED)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, name="adam"),
        loss="mse",
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse")],
        jit_compile=False,
    )
    x = [2 * math.pi * index / (SINE_POINTS - 1) for index in range(SINE_POINTS)]
    descent = Descent(model, [[v] for v in x], [[math.sin(v)] for v in x], lambda loss, _values, _gradients: [loss])
    first = descent.measure()[0]
    descent.advance(SINE_STEPS)
    last = descent.measure()[0]
    return _write(
        model,
        build_dir,
        SINE_SEED,
        SineTraining(
            kind="sine",
            rmse_first=math.sqrt(first),
            rmse_last=math.sqrt(last),
            learning_rate=SINE_LEARNING_RATE,
            steps=SINE_STEPS,
            data=SampledFunction("sin(x)", 0.0, 2 * math.pi, SINE_POINTS),
        ),
    )


def make_wide(build_dir: Path) -> Manifest:
    """An untrained 1-24-32-8-3 network with relu6, relu and linear layers.

    Its output channels differ in size by a factor of up to 16, so that per-channel scales really differ.
    """
    _, keras = load()
    import numpy

    model = _build("wide", WIDE_LAYERS, WIDE_SEED)
    random = numpy.random.default_rng(WIDE_SEED)
    for layer in model.layers:
        inputs, channels = layer.kernel.shape
        size = 2.0 ** random.uniform(-2, 2, channels)
        kernel = random.normal(0, 1 / math.sqrt(inputs), (inputs, channels)) * size
        layer.set_weights([kernel, random.normal(0, 0.5, channels)])
    model.compile(optimizer=keras.optimizers.SGD(name="sgd"), loss="mse", jit_compile=False)
    return _write(model, build_dir, WIDE_SEED, Untrained("wide"))


def _build(name: str, layers: Any, seed: int) -> Any:
    _, keras = load()
    model = keras.Sequential([keras.Input((1,), name="x")], name=name)
    for index, (width, activation) in enumerate(layers):
        initializer = keras.initializers.GlorotUniform(seed=seed + index)
        model.add(keras.layers.Dense(width, activation, kernel_initializer=initializer, name=f"dense_{index}"))
    return model


def _write(model: Any, build_dir: Path, seed: int, training: Training) -> Manifest:
    build_dir.mkdir(parents=True, exist_ok=True)
    save_model(model, build_dir / MODEL_FILE)
    # A trace of another model in this folder would pass for this one's.
    (build_dir / TRACE_FILE).unlink(missing_ok=True)
    return start_manifest(build_dir, seed, training)
