# SPDX-License-Identifier: Apache-2.0
"""The operators that the compiled engine supports, by the name in the TFLite schema."""

from __future__ import annotations

from export.ops.base import Op
from export.ops.fully_connected import FullyConnected
from export.ops.reshape import Reshape

OPS: dict[str, type[Op]] = {
    "FULLY_CONNECTED": FullyConnected,
    "RESHAPE": Reshape,
}
# Only where floats enter and leave a model; they are folded away, so that the device sees int8 alone.
ENDS = ("QUANTIZE", "DEQUANTIZE")
