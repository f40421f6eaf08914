# SPDX-License-Identifier: Apache-2.0
"""What a .keras or .h5 file says of its layers, read in a moment and without TensorFlow: what cannot come through is
refused before anything is loaded, allocated or converted."""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.data_set import plain_name
from tinyproof.core.errors import InputFileError
from tinyproof.core.escaping import escaped, reason

MAX_UNPACKED_BYTES = 1 << 30
MAX_CONFIG_BYTES = 32 << 20
MAX_VALUES = 1 << 26  # of a layer's weights or of an input: 64 MB as int8, more than any microcontroller's flash
MAX_DEPTH = 50  # of models in models

# What to use instead of layers that TFLite Micro has no integer kernels for, or that no file may bring.
INSTEAD = {
    **dict.fromkeys(
        ("Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D", "UpSampling3D"),
        "TFLite Micro has no operators of three dimensions: use two, and the third as channels",
    ),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), "use Conv2D and an LSTM(unroll=True)"),
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "Hashing", "TextVectorization", "Discretization", "CategoryEncoding"),
        "look words up before the model, and give it numbers",
    ),
    **dict.fromkeys(("Lambda", "__lambda__"), "it brings code, which is not run: use a layer of Keras"),
}
ACTIVATIONS = {
    "gelu": "relu, or swish",
    "selu": "elu, or relu",
    "softplus": "relu",
    "mish": "swish",
    "exponential": "relu, or sigmoid",
    "celu": "elu, or relu",
}
_CONTAINERS = ("Functional", "Sequential", "InputLayer")
ROLLED = ("LSTM", "GRU", "SimpleRNN")


@dataclass(frozen=True)
class Layer:
    """A layer as the file configures it. `build`: what Keras noted when it was built, such as its input's shape."""

    kind: str
    name: str
    config: dict[str, Any]
    build: dict[str, Any]
    module: str = "keras"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"layer {ascii(self.name)[:60]} ({escaped(self.kind)[:40]})"


def scope_name(name: str) -> str:
    """`name` in the characters that TensorFlow takes in one."""
    return plain_name(name.replace("/", "_"))


@dataclass(frozen=True)
class FloatInput:
    """Of a float model, as its file has it, without the batch."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        """Values in one sample."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class KerasConfig:
    """All layers, those inside of others included. `inputs`: in the model's order; empty where the file tells less."""

    layers: tuple[Layer, ...]
    inputs: tuple[FloatInput, ...]


def read_config(path: Path) -> KerasConfig:
    """Raises InputFileError for what is no .keras or .h5 file, or is too large to be one for a microcontroller."""
    try:
        if path.suffix.lower() == ".keras":
            with zipfile.ZipFile(path) as archive:
                total = sum(entry.file_size for entry in archive.infolist())
                if total > MAX_UNPACKED_BYTES:
                    raise InputFileError(
                        f"{path.name}: {total:,} bytes unpacked; tinyproof takes up to {MAX_UNPACKED_BYTES:,}"
                    )
                if archive.getinfo("config.json").file_size > MAX_CONFIG_BYTES:
                    raise InputFileError(f"{path.name}: its config.json has over {MAX_CONFIG_BYTES:,} bytes")
                document = json.loads(archive.read("config.json"))
        else:
            import h5py

            with h5py.File(path, "r") as file:
                document = json.loads(file.attrs["model_config"])
        return KerasConfig(tuple(_layers(document)), tuple(_inputs(document)))
    except InputFileError:
        raise
    except Exception as error:  # zipfile, json and h5py raise nearly everything on a damaged file
        kind = path.suffix.lower()
        raise InputFileError(f"{path.name}: not a usable {kind} file: {reason(error)}; save the model again") from None


def _layers(part: Any, depth: int = 0) -> Iterator[Layer]:
    """All of them, also those inside of others. What is no layer is passed over: Keras will say what is wrong."""
    if depth > MAX_DEPTH:
        raise InputFileError("models in models, too deep")
    if isinstance(part, list):
        for each in part:
            yield from _layers(each, depth + 1)
    elif isinstance(part, dict):
        config = part.get("config")
        if isinstance(part.get("class_name"), str) and isinstance(config, dict):
            build = part.get("build_config")
            name = config.get("name", part.get("name"))
            module = part.get("module")
            # A file of another Keras names none; "builtins" holds what is no layer.
            own = isinstance(module, str) and not module.startswith(("keras", "builtins"))
            own = own or (module is None and isinstance(part.get("registered_name"), str))
            yield Layer(
                part["class_name"], str(name), config, build if isinstance(build, dict) else {}, "" if own else "keras"
            )
        for each in part.values():
            if isinstance(each, dict | list):
                yield from _layers(each, depth + 1)


def _inputs(document: Any) -> list[FloatInput]:
    """Empty where the document says less than Keras writes: it will say what is wrong."""
    try:
        return _declared_inputs(document)
    except (KeyError, TypeError, IndexError, AttributeError):
        return []


def _declared_inputs(document: Any) -> list[FloatInput]:
    config = document["config"]
    layers = {str(layer["config"].get("name")): layer for layer in config["layers"]}
    if document["class_name"] == "Sequential":
        chosen = list(layers)[:1]
    else:
        places = config.get("input_layers")
        places = [places] if isinstance(places, list) and places and isinstance(places[0], str) else places
        chosen = [place[0] for place in places] if isinstance(places, list) else []
    found = []
    for name in chosen:
        settings = layers[name]["config"]
        shape = settings.get("batch_shape", settings.get("batch_input_shape"))
        if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape[1:]):
            return []  # unknown: it is told when the model is loaded
        dtype = settings.get("dtype", "float32")
        found.append(FloatInput(name, tuple(shape[1:]), dtype if isinstance(dtype, str) else "float32"))
    return found


def check_config(path: Path) -> KerasConfig:
    """Raises InputFileError naming all layers that cannot come through, each with what to use instead."""
    config = read_config(path)
    faults = [f"{layer.label}: {fault}" for layer in config.layers for fault in _faults(layer)]
    if faults:
        more = f"; and {len(faults) - 12} more" if len(faults) > 12 else ""
        raise InputFileError(f"{path.name}: {'; '.join(dict.fromkeys(faults[:12]))}{more}")
    return config


def _faults(layer: Layer) -> Iterator[str]:
    if layer.kind in INSTEAD:
        yield INSTEAD[layer.kind]
    elif not layer.module and "name" in layer.config:
        yield "a class of your own, whose code the file does not bring: use layers of Keras"
    activation = layer.config.get("activation")
    if isinstance(activation, str) and activation in ACTIVATIONS:
        yield f"TFLite Micro computes no {activation} in integers: use {ACTIVATIONS[activation]}"
    if layer.kind in ROLLED and layer.config.get("unroll") is False:
        yield "a loop, which TensorFlow cannot quantize: make it with unroll=True"
    values = _values(layer)
    if values > MAX_VALUES:
        yield f"{values:,} values or more; tinyproof takes up to {MAX_VALUES:,} in a layer"


def _values(layer: Layer) -> int:
    """At least so many values has its input or its largest weight, as far as its configuration tells."""
    config = layer.config
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if layer.kind == "InputLayer" and isinstance(shape, list):
        return _product(shape)
    if layer.kind == "Embedding":
        return _product([config.get("input_dim"), config.get("output_dim")])
    width = _product([config.get(key) for key in ("units", "filters", "num_heads", "key_dim")])
    if layer.kind in ROLLED:
        width *= _product([config.get("units")])
    incoming = layer.build.get("input_shape")
    last = incoming[-1] if isinstance(incoming, list) and incoming else 1
    kernel = config.get("kernel_size")
    return width * _product([last, *(kernel if isinstance(kernel, list) else [kernel])])


def _product(sizes: list[Any]) -> int:
    """Of those that are positive integers."""
    return math.prod(size for size in sizes if type(size) is int and 0 < size < 1 << 62)


def layer_of(tensor: str, layers: Sequence[Layer]) -> Layer | None:
    """The layer that computes a tensor of this name in the .tflite: the innermost scope that is a layer's."""
    known = {scope_name(layer.name): layer for layer in layers if layer.kind not in _CONTAINERS}
    for scope in reversed(tensor.split(";")[0].split("/")):
        for name in (re.sub(r"_\d+$", "", scope), scope):  # Keras counts the calls of a layer
            if name in known:
                return known[name]
    return None
