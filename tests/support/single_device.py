# SPDX-License-Identifier: Apache-2.0
"""A device of one input and one output, as most tests want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.protocol.device_model import Device


def single_device(model_id: str, x: TensorSpec, y: TensorSpec, run: Callable[[bytes], bytes], **options: Any) -> Device:
    """`run` maps the bytes of the input to those of the output."""
    return Device(model_id, TensorLayout((x,)), TensorLayout((y,)), run, **options)
