# SPDX-License-Identifier: Apache-2.0
"""Models that somebody brought -> float .tflite -> int8 .tflite, and the float model's answers. Loads TensorFlow.

One path for .keras, SavedModel and float .tflite: all become a float .tflite with a batch of one, whose tensor ranges
TensorFlow's calibrator measures on samples, and which its quantizer turns into int8. A batch that is fixed lets the
converter compute shapes itself; with an open one, Flatten becomes operators that no microcontroller needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.core.data_set import input_names
from tinyproof.core.errors import InputFileError
from tinyproof.export.calibration import INPUT_TYPES
from tinyproof.export.float_islands import close_islands
from tinyproof.export.keras_quantizer import quiet, reason
from tinyproof.export.keras_rewrites import rewrite_layers, take_integers

# Operators of a SavedModel that reach outside of it; a model that computes needs none of them.
FORBIDDEN = (b"PyFunc", b"EagerPyFunc", b"PyFuncStateless", b"ReadFile", b"WriteFile", b"MatchingFiles", b"LoadLibrary")


def keras_to_float(path: Path) -> bytes:
    """Of a .keras or .h5 file. Raises InputFileError for anything but a sound model with inputs of fixed shape."""
    with quiet():
        import keras
        import tensorflow as tf

        keras.backend.clear_session()  # tensor names count up within a process, and they end up in the .tflite
        try:
            # safe_mode: no code that the file brings along (Lambda layers) is deserialised.
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises nearly everything on a damaged archive
            raise InputFileError(
                f"{path.name}: Keras cannot load it: {reason(error)}; save it with the pinned Keras, without Lambda "
                "and custom layers"
            ) from error
        inputs = getattr(model, "inputs", None) or []
        _check_ends(path.name, [(x.name, tuple(x.shape[1:]), str(x.dtype)) for x in inputs])
        rewrite_layers(model)
        model = take_integers(model)
        names = input_names([x.name for x in inputs])
        specs = [
            tf.TensorSpec([1, *x.shape[1:]], x.dtype, name=name) for x, name in zip(model.inputs, names, strict=True)
        ]

        def answers(*x: Any) -> Any:
            y = keras.tree.flatten(model(x[0] if len(x) == 1 else list(x), training=False))
            return y[0] if len(y) == 1 else y

        function = tf.function(answers)
        return _convert(path.name, lambda: function.get_concrete_function(*specs))


def saved_model_to_float(path: Path) -> bytes:
    """Takes the signature `serving_default`. A SavedModel is a graph that TensorFlow runs; one that reads or writes
    files or calls Python is refused before it is loaded."""
    content = (path / "saved_model.pb").read_bytes()
    found = next((name.decode() for name in FORBIDDEN if name in content), None)
    if found is not None:
        raise InputFileError(f"{path.name}: the SavedModel holds the operator {found}, which no inference needs")
    with quiet():
        import tensorflow as tf

        try:
            loaded = tf.saved_model.load(str(path))
            signature = loaded.signatures["serving_default"]
        except Exception as error:  # protobuf's, TensorFlow's, KeyError: no common base
            raise InputFileError(
                f"{path.name}: not a usable SavedModel: {reason(error)}; it needs the signature serving_default"
            ) from error
        inputs = list(signature.structured_input_signature[1].values())
        known = all(x.shape.rank is not None and x.shape.rank > 0 for x in inputs)
        _check_ends(path.name, [(x.name, tuple(x.shape[1:]) if known else (None,), x.dtype.name) for x in inputs])
        for placeholder in signature.inputs[: len(inputs)]:  # those of its variables follow
            placeholder.set_shape([1, *placeholder.shape[1:]])
        return _convert(path.name, lambda: signature)


def _check_ends(name: str, ends: list[tuple[str, tuple[int | None, ...], str]]) -> None:
    if not ends or any(size is None for _, shape, _ in ends for size in shape):
        shown = ", ".join(str(list(shape)) for _, shape, _ in ends[:4])
        raise InputFileError(
            f"{name}: inputs {shown or 'unknown'}; tinyproof takes models with inputs of fixed shape: give every "
            "dimension but the batch in keras.Input(shape)"
        )
    for end, _, dtype in ends:
        if dtype not in INPUT_TYPES:
            raise InputFileError(
                f"{name}: its input {ascii(end)[:60]} is {dtype}; tinyproof takes {', '.join(INPUT_TYPES)}"
            )


def _convert(name: str, concrete: Any) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        frozen = convert_variables_to_constants_v2(concrete())
        return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())
    except Exception as error:  # the converter's exceptions have no common base
        raise InputFileError(f"{name}: TensorFlow cannot convert it: {reason(error)}") from error


def quantize_float(tflite: bytes, samples: list[Any], name: str, activations: str = "int8") -> bytes:
    """float .tflite -> integer .tflite, ends included; `samples`: of each input [N, *shape without the batch].
    `activations`: "int8", or "int16" for 16x8 (int8 weights, int64 biases).

    The two steps are those of TFLiteConverter itself (`_quantize` in tensorflow/lite/python/lite.py), which starts from
    a Keras model and keeps them to itself.
    """
    with quiet():
        import tensorflow as tf
        from tensorflow.lite.python.convert import mlir_quantize
        from tensorflow.lite.python.optimize import calibrator

        def feed() -> Any:
            return ([x[None] for x in sample] for sample in zip(*samples, strict=True))

        try:
            observed = calibrator.Calibrator(calibrator.add_intermediate_tensors(tflite))
            if activations == "int16":  # allow_float: what has no int16 kernel is then named, with its layer
                wide, allow_float = tf.int16, True
                return bytes(observed.calibrate_and_quantize(feed, wide, wide, allow_float, wide, tf.int64))
            calibrated = observed.calibrate(feed)
            made = mlir_quantize(calibrated, input_data_type=tf.int8, output_data_type=tf.int8)
            return close_islands(bytes(made))
        except Exception as error:
            raise InputFileError(f"{name}: TensorFlow cannot quantize it: {reason(error)}") from error


def float_outputs(tflite: bytes, samples: list[Any]) -> list[Any]:
    """The float model's answers to `samples`: of each output [N, elements] float32."""
    import numpy as np

    with quiet():
        interpreter = _interpreter(tflite)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        answers: list[list[Any]] = [[] for _ in outputs]
        for sample in zip(*samples, strict=True):
            for end, x in zip(inputs, sample, strict=True):
                interpreter.set_tensor(end["index"], x[None])
            interpreter.invoke()
            for end, kept in zip(outputs, answers, strict=True):
                kept.append(interpreter.get_tensor(end["index"]).reshape(-1))
        return [np.array(kept, np.float32) for kept in answers]


def tensors_of_float(tflite: bytes, x: list[Any], indices: list[int]) -> list[Any]:
    """What the float model computes for its inputs `x` at the tensors `indices`."""
    return _tensors(tflite, x, indices, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def int8_tensors(tflite: bytes, x_q: list[Any], indices: list[int]) -> list[Any]:
    """The same of an int8 model, by TensorFlow's reference kernels."""
    return _tensors(tflite, x_q, indices, "BUILTIN_REF")


def _tensors(tflite: bytes, x: list[Any], indices: list[int], kernels: str) -> list[Any]:
    with quiet():
        interpreter = _interpreter(tflite, kernels, experimental_preserve_all_tensors=True)
        for end, content in zip(interpreter.get_input_details(), x, strict=True):
            interpreter.set_tensor(end["index"], content)
        interpreter.invoke()
        return [interpreter.get_tensor(index).copy() for index in indices]


def _interpreter(tflite: bytes, kernels: str = "BUILTIN_WITHOUT_DEFAULT_DELEGATES", **options: Any) -> Any:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=tflite,
        experimental_op_resolver_type=getattr(tf.lite.experimental.OpResolverType, kernels),
        num_threads=1,
        **options,
    )
    interpreter.allocate_tensors()
    return interpreter
