# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE between two quantizations of a byte, in the middle of a graph."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import requantize
from tinyproof.export.ops.lookup import Lookup


class Requantize(Lookup):
    """The ratio of the scales in double, then one rescaling (reference/requantize.h)."""

    names = ("QUANTIZE",)
    max_version = 3
    input_types = ("int8", "uint8")
    output_types = ("int8", "uint8")

    def prepare(self) -> None:
        self.rescale = self.scale_ratio(self.x.scales[0] / self.y.scales[0])

    def answer(self, x_q: int) -> int:
        return self.y.zero_points[0] + requantize(x_q - self.x.zero_points[0], *self.rescale)
