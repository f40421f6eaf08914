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


def take_integers(model: Any) -> Any:
    """The model to call: inputs that are only looked up take int32. Their values are whole, and Keras, which declares
    them float32 where nothing else is said, would cast them in float."""
    retyped = False
    for x in model.inputs:
        nodes = x._keras_history.operation._outbound_nodes
        if nodes and {type(node.operation).__name__ for node in nodes} == {"Embedding"}:
            retyped = retyped or x.dtype != "int32"
            x._dtype = "int32"
    # A Sequential casts to its first layer's type before its graph is called.
    return getattr(model, "_functional", None) or model if retyped else model


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
