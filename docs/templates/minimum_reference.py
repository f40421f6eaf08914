# SPDX-License-Identifier: Apache-2.0
"""MINIMUM in the Python reference. A template: copy the function into a file of core/reference/kernels/."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes


@computes("MINIMUM")
def minimum(op: BoundOperator, a: Array, b: Array) -> Array:
    """micro/kernels/maximum_minimum.h: of the bytes as they are."""
    return np.minimum(a, b)
