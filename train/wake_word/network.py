# SPDX-License-Identifier: Apache-2.0
"""The detector in Keras: convolutions over time that see only the past, trained on whole clips at once.

Every layer pads with zeros at the beginning and nowhere else, so that its answer to a frame is what a streaming net
answers whose kept rows began as zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinyproof.train.backend import load
from tinyproof.train.wake_word.front_end import CHANNELS

EDGE_ROWS, EDGE_BINS, EDGE_STRIDE, EDGE_FILTERS = 3, 8, 4, 8  # of the first layer: in time, in frequency
PLACES = (CHANNELS - EDGE_BINS) // EDGE_STRIDE + 1
WIDTH = 24  # channels of the layers behind it
DEPTHS = (5, 9)  # rows that the two depthwise layers see
WINDOW = 24  # rows that the last layer sees
BATCH = 32
LEARNING_RATE = 0.004
EARLY, LATE = 4, 8  # frames around the word's end: before, the detector must be silent; until then, it must have heard


@dataclass(frozen=True)
class Training:
    """`x`: features as they were dequantized, float32 [clips, frames, CHANNELS]. `end`: int [clips], the frame in which
    the word ends, 0 where it is not said."""

    x: Any
    end: Any


def build_network(frames: int) -> Any:
    """A Keras model of whole clips: [frames, CHANNELS] to a logit for each frame, [frames]."""
    _, keras = load()
    layers = keras.layers

    def past(x: Any, rows: int) -> Any:
        return layers.ZeroPadding2D(((rows - 1, 0), (0, 0)))(x)

    source = keras.Input((frames, CHANNELS), name="features")
    x = layers.Reshape((frames, CHANNELS, 1), name="rows")(source)
    x = layers.Conv2D(
        *(EDGE_FILTERS, (EDGE_ROWS, EDGE_BINS)), strides=(1, EDGE_STRIDE), activation="relu", name="edges"
    )(past(x, EDGE_ROWS))
    x = layers.Reshape((frames, 1, PLACES * EDGE_FILTERS), name="flat")(x)
    x = layers.Conv2D(WIDTH, 1, activation="relu", name="mixed_0")(x)
    for number, rows in enumerate(DEPTHS, start=1):
        x = layers.DepthwiseConv2D((rows, 1), name=f"moved_{number}")(past(x, rows))
        x = layers.Conv2D(WIDTH, 1, activation="relu", name=f"mixed_{number}")(x)
    x = layers.Conv2D(1, (WINDOW, 1), name="word")(past(x, WINDOW))
    return keras.Model(source, layers.Reshape((frames,), name="logits")(x), name="wake_word")


def train_network(data: Training, seed: int, epochs: int, progress: Callable[[int, int], None] | None = None) -> Any:
    """The trained Keras model; the same bits for the same data and seed on one machine."""
    tensorflow, keras = load()
    import numpy as np

    keras.utils.set_random_seed(seed)
    model = build_network(data.x.shape[1])
    steps = len(data.x) // BATCH
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps * epochs))
    optimizer.build(model.trainable_variables)
    place = tensorflow.range(data.x.shape[1], dtype=tensorflow.int32)[None, :]

    @tensorflow.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(x: Any, end: Any) -> None:
        with tensorflow.GradientTape() as tape:
            loss = _loss(tensorflow, model(x, training=True), place, end[:, None])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    random = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = random.permutation(len(data.x))
        for first in range(0, steps * BATCH, BATCH):
            chosen = order[first : first + BATCH]
            step(tensorflow.constant(data.x[chosen]), tensorflow.constant(data.end[chosen], tensorflow.int32))
        if progress:
            progress(epoch + 1, epochs)
    return model


def _loss(tensorflow: Any, logits: Any, place: Any, end: Any) -> Any:
    """The loudest frame counts: around the word's end it must be loud, anywhere else it must not."""
    said = tensorflow.cast(end > 0, logits.dtype)[:, 0]
    nowhere = -20.0
    near = (place >= end - EARLY // 2) & (place <= end + LATE)
    heard = tensorflow.reduce_max(tensorflow.where(near, logits, nowhere), axis=1)
    before = (end == 0) | (place < end - EARLY)
    false = tensorflow.reduce_max(tensorflow.where(before, logits, nowhere), axis=1)
    softplus = tensorflow.nn.softplus
    return tensorflow.reduce_mean(said * softplus(-heard) + softplus(false))


def probabilities(model: Any, x: Any) -> Any:
    """Of each frame of sounds [sounds, frames, CHANNELS], of any length: float [sounds, frames]."""
    import numpy as np

    any_length = build_network(x.shape[1])
    any_length.set_weights(model.get_weights())
    logits = np.concatenate([np.asarray(any_length(x[first : first + 256])) for first in range(0, len(x), 256)])
    return 1 / (1 + np.exp(-logits.astype(np.float64)))
