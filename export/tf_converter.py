# SPDX-License-Identifier: Apache-2.0
"""Models that somebody brought -> float .tflite -> int8 .tflite, and the float model's answers. Loads TensorFlow.

One path for .keras, SavedModel and float .tflite: all become a float .tflite with a batch of one, whose tensor ranges
TensorFlow's calibrator measures on samples, and which its quantizer turns into int8. A batch that is fixed lets the
converter compute shapes itself; with an open one, Flatten becomes operators that no microcontroller needs.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError
from tinyproof.export.keras_quantizer import one_line, quiet

MAX_UNPACKED_BYTES = 1 << 30
# Operators of a SavedModel that reach outside of it; a model that computes needs none of them.
FORBIDDEN = (b"PyFunc", b"EagerPyFunc", b"PyFuncStateless", b"ReadFile", b"WriteFile", b"MatchingFiles", b"LoadLibrary")


def keras_to_float(path: Path) -> bytes:
    """Raises InputFileError for anything but a sound .keras with one input of fixed shape."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputFileError(
            f"{path.name}: not a usable .keras file: {one_line(error)}; save the model again"
        ) from None
    if total > MAX_UNPACKED_BYTES:
        raise InputFileError(f"{path.name}: {total:,} bytes unpacked; tinyproof takes up to {MAX_UNPACKED_BYTES:,}")
    with quiet():
        import keras
        import tensorflow as tf

        keras.backend.clear_session()  # tensor names count up within a process, and they end up in the .tflite
        try:
            # safe_mode: no code that the file brings along (Lambda layers) is deserialised.
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises nearly everything on a damaged archive
            raise InputFileError(
                f"{path.name}: Keras cannot load it: {one_line(error)}; save it with the pinned Keras, without Lambda "
                "and custom layers"
            ) from error
        _check_ends(path.name, [tuple(x.shape[1:]) for x in getattr(model, "inputs", None) or []])
        shape = model.inputs[0].shape[1:]
        function = tf.function(lambda x: model(x, training=False))
        spec = tf.TensorSpec([1, *shape], tf.float32, name="x")
        return _convert(path.name, lambda: function.get_concrete_function(spec))


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
                f"{path.name}: not a usable SavedModel: {one_line(error)}; it needs the signature serving_default"
            ) from error
        inputs = list(signature.structured_input_signature[1].values())
        known = all(x.shape.rank is not None and x.shape.rank > 0 for x in inputs)
        _check_ends(path.name, [tuple(x.shape[1:]) for x in inputs] if known else [(None,)])
        if inputs[0].dtype != tf.float32:
            raise InputFileError(f"{path.name}: its input is {inputs[0].dtype.name}; tinyproof takes float32")
        signature.inputs[0].set_shape([1, *inputs[0].shape[1:]])
        return _convert(path.name, lambda: signature)


def _check_ends(name: str, shapes: list[tuple[int | None, ...]]) -> None:
    if len(shapes) != 1 or any(size is None for size in shapes[0]):
        shown = ", ".join(str(list(shape)) for shape in shapes[:4])
        raise InputFileError(
            f"{name}: inputs {shown or 'unknown'}; tinyproof takes models with one input of fixed shape"
        )


def _convert(name: str, concrete: Any) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        frozen = convert_variables_to_constants_v2(concrete())
        return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())
    except Exception as error:  # the converter's exceptions have no common base
        raise InputFileError(f"{name}: TensorFlow cannot convert it: {one_line(error)}") from error


def quantize_float(tflite: bytes, samples: Any, name: str) -> bytes:
    """float .tflite -> int8 .tflite, ends included; `samples` [N, *input shape without the batch] float32.

    The two steps are those of TFLiteConverter itself (`_quantize` in tensorflow/lite/python/lite.py), which starts from
    a Keras model and keeps them to itself.
    """
    with quiet():
        import tensorflow as tf
        from tensorflow.lite.python.convert import mlir_quantize
        from tensorflow.lite.python.optimize import calibrator

        try:
            observed = calibrator.Calibrator(calibrator.add_intermediate_tensors(tflite))
            calibrated = observed.calibrate(lambda: ([sample[None]] for sample in samples))
            return bytes(mlir_quantize(calibrated, input_data_type=tf.int8, output_data_type=tf.int8))
        except Exception as error:
            raise InputFileError(f"{name}: TensorFlow cannot quantize it: {one_line(error)}") from error


def float_outputs(tflite: bytes, samples: Any) -> Any:
    """The float model's answers to `samples`, [N, elements of the output] float32."""
    import numpy as np

    with quiet():
        interpreter = _interpreter(tflite)
        x, y = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        answers = []
        for sample in samples:
            interpreter.set_tensor(x, sample[None])
            interpreter.invoke()
            answers.append(interpreter.get_tensor(y).reshape(-1))
        return np.array(answers, np.float32)


def tensors_of_float(tflite: bytes, x: Any, indices: list[int]) -> list[Any]:
    """What the float model computes for `x` at the tensors `indices`."""
    return _tensors(tflite, x, indices, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def int8_tensors(tflite: bytes, x_q: Any, indices: list[int]) -> list[Any]:
    """The same of an int8 model, by TensorFlow's reference kernels."""
    return _tensors(tflite, x_q, indices, "BUILTIN_REF")


def _tensors(tflite: bytes, x: Any, indices: list[int], kernels: str) -> list[Any]:
    with quiet():
        interpreter = _interpreter(tflite, kernels, experimental_preserve_all_tensors=True)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
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
