# SPDX-License-Identifier: Apache-2.0
"""The schema's classes for writing a .tflite, which come with tflite-micro and with TensorFlow."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def schema_classes() -> Any:
    """The module of them. Raises ImportError where neither package is installed."""
    try:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
    except ImportError:  # anything but Linux x86-64
        from tensorflow.lite.python import schema_py_generated as schema
    return schema
