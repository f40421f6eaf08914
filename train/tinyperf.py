# SPDX-License-Identifier: Apache-2.0
"""The four MLPerf Tiny architectures (v1.0 reference code, github.com/mlcommons/tiny) with seeded weights, in Keras.

Only the shapes are theirs. Weights are random, so nobody needs their data sets. Training leaves what random weights do
not have: channels that are dead, whose weights have next to no scale and whose biases are huge in it. What a kernel
costs and whether its bits are right must not depend on that: a share of the channels can be made so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyproof.train.backend import load
from tinyproof.train.keras_file import save_model

BATCH = 64
DEAD_SHARE = 0.3  # of a layer's channels, where some are dead
DEAD_GAIN = 1e-9

# Average pooling over noise leaves little of it; a steeper last layer spreads the classes over the range of int8 again.
HEAD_GAIN = {"kws": 2.5, "ic": 1.5, "vww": 2.0}


def _keras() -> Any:
    import keras

    return keras


def _norm_relu(x: Any) -> Any:
    """Batch normalization (momentum 0, so that one batch in training mode sets the moving statistics), then ReLU."""
    layers = _keras().layers
    return layers.ReLU()(layers.BatchNormalization(momentum=0.0)(x))


def _conv(x: Any, filters: int, kernel: int | tuple[int, int], strides: int | tuple[int, int] = 1) -> Any:
    layers = _keras().layers
    return layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)


def _depthwise(x: Any, strides: int = 1) -> Any:
    return _keras().layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)


def autoencoder(batch: int | None = None) -> Any:
    """Anomaly detection: (640,) -> (640,), nine dense layers with a waist of eight; 264,192 MACs."""
    keras = _keras()
    inputs = keras.Input((640,), batch_size=batch)
    x = inputs
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = _norm_relu(keras.layers.Dense(units)(x))
    return keras.Model(inputs, keras.layers.Dense(640)(x), name="ad")


def ds_cnn(batch: int | None = None) -> Any:
    """Keyword spotting: (49, 10, 1) -> 12 classes, depthwise-separable convolutions; 2,656,768 MACs."""
    keras = _keras()
    inputs = keras.Input((49, 10, 1), batch_size=batch)
    x = _norm_relu(_conv(inputs, 64, (10, 4), (2, 2)))
    for _ in range(4):
        x = _norm_relu(_depthwise(x))
        x = _norm_relu(_conv(x, 64, 1))
    x = keras.layers.AveragePooling2D((25, 5))(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(12, activation="softmax")(x), name="kws")


def resnet8(batch: int | None = None) -> Any:
    """Image classification: (32, 32, 3) -> 10 classes, three residual stacks; 12,501,632 MACs."""
    keras = _keras()
    layers = keras.layers
    inputs = keras.Input((32, 32, 3), batch_size=batch)
    x = _norm_relu(_conv(inputs, 16, 3))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = _norm_relu(_conv(x, filters, 3, strides))
        y = layers.BatchNormalization(momentum=0.0)(_conv(y, filters, 3))
        if strides != 1:
            x = _conv(x, filters, 1, strides)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.AveragePooling2D(8)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x), name="ic")


def mobilenet_v1(batch: int | None = None) -> Any:
    """Visual wake words: (96, 96, 3) -> 2 classes, MobileNetV1 of width 0.25; 7,489,664 MACs."""
    keras = _keras()
    inputs = keras.Input((96, 96, 3), batch_size=batch)
    x = _norm_relu(_conv(inputs, 8, 3, 2))
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1))
    for filters, strides in blocks:
        x = _norm_relu(_depthwise(x, strides))
        x = _norm_relu(_conv(x, filters, 1))
    x = keras.layers.AveragePooling2D(3)(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x), name="vww")


MODELS: dict[str, Callable[..., Any]] = {"ad": autoencoder, "kws": ds_cnn, "ic": resnet8, "vww": mobilenet_v1}


def build(name: str, seed: int = 1, *, dead: bool = False) -> tuple[Any, Any]:
    """Model `name` with weights from `seed`, some of its channels dead or none, and the float32 batch that set its
    statistics: (64, *input shape)."""
    import numpy as np

    keras = _keras()
    keras.utils.set_random_seed(seed)
    model = MODELS[name]()
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape[0]
            gain = rng.uniform(0.7, 1.3, channels)
            layer.beta.assign(rng.normal(0.0, 0.3, channels))
            if dead:
                gain *= np.where(rng.random(channels) < DEAD_SHARE, DEAD_GAIN, 1.0)
            layer.gamma.assign(gain)
    head = model.get_layer(index=len(model.layers) - 1)
    head.kernel.assign(head.kernel * HEAD_GAIN.get(name, 1.0))
    batch = rng.uniform(-1.0, 1.0, (BATCH, *model.input_shape[1:])).astype(np.float32)
    model(batch, training=True)
    single = MODELS[name](batch=1)  # a fixed batch leaves no shape arithmetic in the converted graph
    single.set_weights(model.get_weights())
    return single, batch


def make_tinyperf(name: str, folder: Path, seed: int = 1, *, dead: bool = False) -> tuple[Path, Path]:
    """Write model `name` as NAME.keras and its representative samples as NAME-calibration.npz to `folder`; with `dead`
    channels as NAME-dead."""
    load()
    import numpy as np

    model, batch = build(name, seed, dead=dead)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-dead" if dead else name
    paths = folder / f"{stem}.keras", folder / f"{stem}-calibration.npz"
    save_model(model, paths[0])
    np.savez(paths[1], x=batch)
    return paths
