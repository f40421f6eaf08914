# SPDX-License-Identifier: Apache-2.0
"""Full int8 post-training quantization with TensorFlow's converter: the one part of this stage that loads TensorFlow.

The converter measures the range of every tensor on representative inputs. An input outside that range saturates later,
silently, so the inputs are spread evenly over the whole range that will be asked, ends included.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.paths import shown
from tinyproof.core.tensorflow_settings import require_tensorflow, settle_tensorflow

SAMPLES = 256
GRID = 1001  # points of the asked range at which the float model is evaluated for the report


def load_keras_model(path: Path) -> Any:
    """Raises UsageError when there is no model yet, InputFileError when the file is not one."""
    if not path.is_file():
        raise UsageError(f"{shown(path.parent)} has no {path.name}; run ./tinyproof train first")
    require_tensorflow(f"{path.name}: quantizing a Keras model")
    with quiet():
        import keras

        keras.backend.clear_session()  # tensor names count up within a process, and they end up in the .tflite
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises nearly everything on a damaged archive
            raise InputFileError(f"{path.name}: {reason(error)}; train the model again") from error


def representative_inputs(shape: tuple[int, ...], low: float, high: float, seed: int) -> Any:
    """[SAMPLES, *shape] float32: one number evenly from `low` to `high`; larger inputs at random, with both ends."""
    import numpy as np

    if math.prod(shape) == 1:
        return np.linspace(low, high, SAMPLES, dtype=np.float32).reshape(SAMPLES, *shape)
    samples = np.random.default_rng(seed).uniform(low, high, (SAMPLES, *shape)).astype(np.float32)
    samples[0], samples[1] = low, high
    return samples


def quantize_model(model: Any, low: float, high: float, seed: int, *, dense_per_tensor: bool = False) -> bytes:
    """The int8 .tflite of a Keras model with one input. Raises InputFileError when TensorFlow cannot convert it.

    `dense_per_tensor`: one weight scale for a whole Dense layer, which every library can compute, and which costs
    accuracy where the channels differ in size.
    """
    if len(model.inputs) != 1 or any(size is None for size in model.inputs[0].shape[1:]):
        raise InputFileError("model.keras: tinyproof takes models with one input of fixed shape")
    samples = representative_inputs(tuple(model.inputs[0].shape[1:]), low, high, seed)
    with quiet():
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        # An underscore is all that the converter offers for this.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = dense_per_tensor
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter's exceptions have no common base
            raise InputFileError(f"model.keras: TensorFlow cannot quantize it: {reason(error)}") from error


def float_answers(model: Any, x: Any) -> Any:
    """The float model on rows `x`, float32."""
    with quiet():
        return model(x, training=False).numpy()


def reason(error: Exception) -> str:
    """An error of TensorFlow's, which may have hundreds of lines, in one: what was raised inside a traced function,
    the operators that have no counterpart, or else the first line."""
    text = str(error).strip()
    missing = sorted(set(re.findall(r"^\s*tf\.(\w+)\(", text, re.MULTILINE)))
    if missing:
        return f"TFLite has no operator for {', '.join(f'tf.{name}' for name in missing[:8])}"
    if "TensorList" in text:
        return "it holds a loop over time, as of LSTM and GRU: make these layers with unroll=True"
    lines = text.splitlines() or [type(error).__name__]
    raised = re.findall(r"^\s*[\w.]*(?:Error|Exception): (\S.*)$", text, re.MULTILINE)
    return (raised[-1] if lines[0].startswith("in user code") and raised else lines[0])[:200]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """TensorFlow writes to the C-level stderr, Keras prints, both log: none of it is for users. Errors still raise."""
    settle_tensorflow()
    logger = logging.getLogger("tensorflow")
    level = logger.level
    saved = os.dup(2)
    with tempfile.TemporaryFile() as sink, open(os.devnull, "w") as nowhere, warnings.catch_warnings():  # noqa: PTH123
        warnings.simplefilter("ignore")
        os.dup2(sink.fileno(), 2)
        logger.setLevel(logging.ERROR)
        try:
            with contextlib.redirect_stdout(nowhere):
                yield
        finally:
            logger.setLevel(level)
            os.dup2(saved, 2)
            os.close(saved)
