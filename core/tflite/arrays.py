# SPDX-License-Identifier: Apache-2.0
"""arithmetic.quantize and saturates for arrays: the same values, element by element. Loads NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.tflite.arithmetic import BEYOND
from tinyproof.core.tflite.dtypes import DTYPES


def quantize_array(real: Any, scale: float, zero_point: int, dtype: str = "int8") -> NDArray[Any]:
    """q = clamp(round(real / scale) + zero_point) in float32, ties away from zero; little-endian, of type `dtype`."""
    kind = DTYPES[dtype]
    return np.clip(_levels(real, scale, zero_point), kind.low, kind.high).astype(np.dtype("<" + kind.letter))


def saturates_array(real: Any, scale: float, zero_point: int, dtype: str = "int8") -> NDArray[np.bool_]:
    """Where `quantize_array` clamps."""
    levels = _levels(real, scale, zero_point)
    return (levels < DTYPES[dtype].low) | (levels > DTYPES[dtype].high)


def _levels(real: Any, scale: float, zero_point: int) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):  # infinite, or no number: both clamp
        steps = np.asarray(real).astype(np.float32) / np.float32(scale)
    # fmin before fmax: what is no number becomes the upper end, as in the scalar form.
    steps = np.fmax(np.fmin(steps, np.float32(BEYOND)), np.float32(-BEYOND))
    whole = np.trunc(steps)  # NumPy's own rounding takes ties to even
    fraction = steps - whole
    levels: NDArray[np.float64] = whole.astype(np.float64) + (fraction >= 0.5) - (fraction <= -0.5) + zero_point
    return levels
