# SPDX-License-Identifier: Apache-2.0
"""Layers of Keras, computed by operators that TFLite Micro has in integers; the values stay the same. Loads TensorFlow.

Keras repeats with TILE, which TFLite Micro lacks; looks up with a choice for negative indices; and normalizes a layer
with a negation, which TensorFlow leaves in float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyproof.export.keras_config import scope_name


def rewrite_layers(model: Any) -> None:
    """In place, those inside of other models included. Names become such as TensorFlow takes for its scopes."""
    for layer in model._flatten_layers():
        layer.name = scope_name(layer.name)
        rewriting = _REWRITINGS.get(type(layer).__name__)
        if rewriting is not None and type(layer).__module__.startswith("keras."):
            call = rewriting(layer)
            if call is not None:
                layer.call = call


def input_type(model: Any, x: Any) -> str:
    """int32 for an input that is only looked up: its values are whole, and no table takes rounded ones."""
    operations = [getattr(node, "operation", None) for node in x._keras_history.operation._outbound_nodes]
    kinds = {type(operation).__name__ for operation in operations}
    if not operations and type(model).__name__ == "Sequential" and model.layers:
        kinds = {type(model.layers[0]).__name__}
    return "int32" if kinds == {"Embedding"} else str(x.dtype)


def _upsampling(layer: Any) -> Callable[[Any], Any] | None:
    if getattr(layer, "interpolation", "nearest") != "nearest" or getattr(layer, "data_format", "") == "channels_first":
        return None
    one = type(layer).__name__ == "UpSampling1D"
    factors = (layer.size, 1) if one else tuple(layer.size)

    def call(x: Any) -> Any:
        import tensorflow as tf

        image = tf.expand_dims(x, 2) if one else x
        size = [int(length) * factor for length, factor in zip(image.shape[1:3], factors, strict=True)]
        larger = tf.compat.v1.image.resize_nearest_neighbor(image, size)
        return tf.squeeze(larger, [2]) if one else larger

    return call


def _embedding(layer: Any) -> Callable[[Any], Any] | None:
    if layer.mask_zero:
        return None

    def call(x: Any) -> Any:
        import tensorflow as tf

        return tf.gather(tf.convert_to_tensor(layer.embeddings), tf.cast(x, tf.int32))

    return call


def _layer_normalization(layer: Any) -> Callable[[Any], Any] | None:
    if getattr(layer, "rms_scaling", False):
        return None
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)

    def call(x: Any) -> Any:
        import tensorflow as tf

        centred = x - tf.reduce_mean(x, axes, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
        y = centred * tf.math.rsqrt(variance + layer.epsilon)
        shape = [int(size) if axis in axes or axis - len(x.shape) in axes else 1 for axis, size in enumerate(x.shape)]
        for weights, combine in ((layer.gamma, tf.multiply), (layer.beta, tf.add)):
            if weights is not None:
                y = combine(y, tf.reshape(tf.convert_to_tensor(weights), shape))
        return y

    return call


_REWRITINGS: dict[str, Callable[[Any], Callable[[Any], Any] | None]] = {
    "UpSampling1D": _upsampling,
    "UpSampling2D": _upsampling,
    "Embedding": _embedding,
    "LayerNormalization": _layer_normalization,
}
