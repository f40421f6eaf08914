# SPDX-License-Identifier: Apache-2.0
"""The worked example: a small convolutional network that tells four gestures apart by a 3-axis accelerometer.

The data are generated: 1.28 s at 25 Hz, acceleration in g, drawn with a random tilt of the board, amplitude, tempo,
phase and noise. Everything is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.train.backend import load
from tinyproof.train.keras_file import save_model

CLASSES = ("rest", "shake", "circle", "lift")
SAMPLES = 32  # a window of 1.28 s
RATE_HZ = 25.0
AXES = 3
SEED = 7
TRAINING = 1200
TEST = 200
CALIBRATION = 100
EPOCHS = 20
BATCH = 32
LEARNING_RATE = 0.01
MODEL_FILE = "gestures.keras"
CALIBRATION_FILE = "gestures-calibration.npz"
TEST_FILE = "gestures-test.npz"


@dataclass(frozen=True)
class Example:
    """What was written, and how well the float model does on windows that training has not seen."""

    model: Path
    calibration: Path
    test: Path
    accuracy: float


def make_gestures(folder: Path, progress: Callable[[int, int], None] | None = None) -> Example:
    """Train the network and write it with its calibration and test data to `folder`. Takes some seconds."""
    tensorflow, keras = load()
    import numpy as np

    random = np.random.default_rng(SEED)
    x, y = windows(random, TRAINING)
    x_test, y_test = windows(random, TEST)

    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SAMPLES, 1, AXES), name="acceleration_g"),
            layers.Conv2D(8, (5, 1), strides=(2, 1), padding="same", activation="relu", name="conv"),
            layers.DepthwiseConv2D((3, 1), strides=2, padding="same", activation="relu", name="depthwise"),
            layers.Conv2D(16, 1, activation="relu", name="pointwise"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(len(CLASSES), activation="softmax", name="gesture"),
        ],
        name="gestures",
    )
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    @tensorflow.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(x_batch: Any, y_batch: Any) -> None:
        with tensorflow.GradientTape() as tape:
            loss = loss_of(y_batch, model(x_batch, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    optimizer.build(model.trainable_variables)
    for epoch in range(EPOCHS):
        order = random.permutation(len(x))
        for first in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            step(tensorflow.constant(x[chosen]), tensorflow.constant(y[chosen]))
        if progress:
            progress(epoch + 1, EPOCHS)
    predicted = np.argmax(np.asarray(model(x_test)), axis=1)

    folder.mkdir(parents=True, exist_ok=True)
    example = Example(
        folder / MODEL_FILE, folder / CALIBRATION_FILE, folder / TEST_FILE, float(np.mean(predicted == y_test))
    )
    save_model(model, example.model)
    np.savez(example.calibration, x=x[:CALIBRATION])
    np.savez(example.test, x=x_test, y=y_test)
    return example


def windows(random: Any, count: int) -> tuple[Any, Any]:
    """`count` windows as float32 [count, SAMPLES, 1, AXES] in g, and their classes as int64 [count]."""
    import numpy as np

    time = np.arange(SAMPLES) / RATE_HZ
    x = np.empty((count, SAMPLES, AXES))
    y = random.integers(len(CLASSES), size=count)
    for window, name in zip(x, (CLASSES[index] for index in y), strict=True):
        tilt = random.normal(0.0, 0.15, 2)
        gravity = np.array([tilt[0], tilt[1], math.sqrt(max(0.0, 1 - tilt @ tilt))])
        window[:] = gravity + random.normal(0.0, 0.08, (SAMPLES, AXES))
        amplitude = random.uniform(0.2, 0.8)
        phase = random.uniform(0.0, 2 * math.pi)
        if name == "shake":  # fast, along x
            window[:, 0] += amplitude * np.sin(2 * math.pi * random.uniform(4.0, 6.0) * time + phase)
        elif name == "circle":  # slow, x and y a quarter apart
            angle = 2 * math.pi * random.uniform(1.0, 2.0) * time + phase
            window[:, 0] += amplitude * np.cos(angle)
            window[:, 1] += amplitude * np.sin(angle)
        elif name == "lift":  # up, and to a halt: one swing along z
            middle = random.uniform(0.4, 0.9)
            swing = (time - middle) / 0.15
            window[:, 2] -= 2 * amplitude * swing * np.exp(-(swing**2))
    return x[:, :, None, :].astype(np.float32), y
