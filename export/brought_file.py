# SPDX-License-Identifier: Apache-2.0
"""What kind of .tflite somebody brought, and why it cannot be taken, in words that say what to bring instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.ends import QUANTIZED
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.keras_config import Layer, layer_of
from tinyproof.export.ops import ENDS

BRING = "bring the float model (.keras, SavedModel, or a .tflite converted without optimizations) and --calibration"
# What to use instead of operators that TFLite Micro has no integer kernels for.
INSTEAD = {
    "GELU": "relu, or swish",
    "EXP": "softmax, or sigmoid",
    "LOG": "relu",
    "SQRT": "a layer without square roots, such as BatchNormalization",
    "RSQRT": "BatchNormalization instead of LayerNormalization",
    "POW": "Multiply",
    "CONV_3D": "Conv2D",
    "CONV_3D_TRANSPOSE": "Conv2DTranspose",
    "WHILE": "unroll=True in LSTM and GRU",
    "TILE": "Concatenate, or UpSampling2D",
    "CUSTOM Flex": "layers that TFLite has operators for",
}


def is_float(graph: Graph) -> bool:
    """Whether the model computes in float32 throughout, so that it can be quantized: one of sounds may have no scales
    and no floats either. Raises InputFileError for one that only stores its weights in fewer bits."""
    weights = _small_weights(graph)
    if weights is not None:
        raise weights
    if not any(tensor.dtype == "float32" for tensor in graph.tensors):
        return False
    return not any(tensor.dtype in QUANTIZED and tensor.scales for tensor in graph.tensors)


def _small_weights(graph: Graph) -> InputFileError | None:
    tensors = graph.tensors
    integers_computed = any(
        tensors[index].dtype in QUANTIZED and tensors[index].scales
        for operator in graph.operators
        for index in operator.outputs
    )
    for operator in graph.operators:
        inputs = [tensors[index] for index in operator.inputs if index != -1]
        stored = [tensor for tensor in inputs if tensor.data is not None]
        real = any(tensor.dtype == "float32" for tensor in inputs) and operator.name not in ENDS
        if any(tensor.dtype == "float16" for tensor in inputs):
            return graph.refuse(operator, f"its weights are float16, and it computes in float32: {BRING}")
        if integers_computed:
            continue
        small = any(tensor.dtype in ("int8", "int4") and tensor.scales for tensor in stored)
        if small and (real or operator.name == "DEQUANTIZE"):
            return graph.refuse(
                operator, f"its weights are int8, and it computes in float32 (dynamic range quantization): {BRING}"
            )
    return None


def types_in_words(graph: Graph) -> str:
    """What goes in and comes out, such as "int8 in, uint8 out"."""
    ends = ((graph.inputs, "in"), (graph.outputs, "out"))
    return ", ".join(
        f"{' and '.join(dict.fromkeys(graph.tensors[index].dtype for index in indices)) or 'nothing'} {way}"
        for indices, way in ends
    )


def floats_inside(graph: Graph) -> list[Operator]:
    """Operators that compute in float32, those that only let floats in and out not counted."""
    return [
        operator
        for operator in graph.operators
        if operator.name not in ENDS
        and any(
            graph.tensors[index].dtype == "float32" for index in (*operator.inputs, *operator.outputs) if index != -1
        )
    ]


def explain(error: InputFileError, graph: Graph, layers: Sequence[Layer], *, quantized_here: bool) -> InputFileError:
    """`error`, which refuses `graph`, with what the user knows: the float operators behind it, Keras' names of layers,
    and what to use instead."""
    message, inside = error.message, floats_inside(graph)
    if inside and any(name in message for name in (*ENDS, "float32")):
        named = ", ".join(dict.fromkeys(operator.label for operator in inside[:12]))
        more = f" and {len(inside) - 12} more" if len(inside) > 12 else ""
        verb = "computes" if len(inside) == 1 else "compute"
        why = "TensorFlow quantizes none of them" if quantized_here else BRING
        message = f"{graph.file}: {named}{more} {verb} in float32 inside the model: {why}"
    found = [int(number) for number in re.findall(r"operator (\d+) \(", message)]
    operators = [graph.operators[number] for number in found if number < len(graph.operators)]
    message = re.sub(
        r"operator (\d+) \([^)]*\)", lambda match: match[0] + _of_layer(graph, layers, int(match[1])), message
    )
    remedies = {
        f"instead of {operator.name} use {INSTEAD[operator.name]}" for operator in operators if operator.name in INSTEAD
    }
    return InputFileError("; ".join([message, *sorted(remedies)]))


def _of_layer(graph: Graph, layers: Sequence[Layer], number: int) -> str:
    if number >= len(graph.operators):
        return ""
    for index in graph.operators[number].outputs:
        layer = layer_of(graph.tensors[index].name, layers)
        if layer is not None:
            return f" of {layer.label}"
    return ""
