# SPDX-License-Identifier: Apache-2.0
"""TensorFlow, loaded late and without its chatter."""

from __future__ import annotations

from functools import cache
from typing import Any

from tinyproof.core.tensorflow_settings import require_tensorflow, settle_tensorflow


@cache
def load() -> tuple[Any, Any]:
    """Import TensorFlow and Keras (3 to 4 s, once) and return both modules.

    Raises EnvironmentFaultError where they are not installed.
    """
    require_tensorflow("training")
    settle_tensorflow()
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    import keras

    return tensorflow, keras
