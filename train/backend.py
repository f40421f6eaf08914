# SPDX-License-Identifier: Apache-2.0
"""TensorFlow, loaded late and without its chatter."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # no banner about CPU features and absent GPUs
    "TF_ENABLE_ONEDNN_OPTS": "0",  # oneDNN may sum in another order from run to run
    "CUDA_VISIBLE_DEVICES": "-1",  # a model this small is slower on a GPU, and differs in its last bits
    "KERAS_BACKEND": "tensorflow",  # the next stage converts with TensorFlow
}


@cache
def load() -> tuple[Any, Any]:
    """Import TensorFlow and Keras (3 to 4 s, once) and return both modules."""
    os.environ.update(ENVIRONMENT)
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    import keras

    return tensorflow, keras
