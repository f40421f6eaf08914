# SPDX-License-Identifier: Apache-2.0
"""TFLite Micro's signal operators, signal/src/*.cc."""

from __future__ import annotations

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, to_type
from tinyproof.core.tflite.flexbuffer import read_map


def options(op: BoundOperator) -> dict[str, int]:
    """Its options by their names."""
    return read_map(op.operator.custom_options)


@computes("CUSTOM SignalWindow")
def window(op: BoundOperator, x: Array, weights: Array) -> Array:
    """window.cc."""
    return to_type(x.reshape(-1, weights.size) * weights >> options(op)["shift"], "int16")
