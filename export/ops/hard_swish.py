# SPDX-License-Identifier: Apache-2.0
"""HARD_SWISH: x * min(max(x + 3, 0), 6) / 6, in 16 bits as in TFLite Micro (reference/hard_swish.h)."""

from __future__ import annotations

from tinyproof.core.tflite.fixed_point import rounding_shift_right
from tinyproof.export.ops.lookup import Lookup

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1


def _saturate(value: int) -> int:
    return min(max(value, INT16_MIN), INT16_MAX)


def _doubling_high_multiply(a: int, b: int) -> int:
    """round(a * b / 2**15), ties toward +infinity, for b >= 0."""
    return (a * b + 2**14) >> 15


def _to_16_bits(multiplier: int) -> int:
    """DownScaleInt32ToInt16Multiplier."""
    return min((multiplier + 2**15) >> 16, INT16_MAX)


class HardSwish(Lookup):
    names = ("HARD_SWISH",)
    max_version = 1

    def prepare(self) -> None:
        fine_scale = self.x.scales[0] / 128
        output, self.output_shift = self.scale_ratio(fine_scale / self.y.scales[0])
        relu, self.relu_shift = self.scale_ratio(fine_scale / (3.0 / 32768))
        if not -15 <= self.output_shift <= 0 or not self.relu_shift >= -15:
            raise self.refuse("its input and output scales are too far apart, or the input's is too small")
        self.output_multiplier, self.relu_multiplier = _to_16_bits(output), _to_16_bits(relu)

    def answer(self, x_q: int) -> int:
        fine = (x_q - self.x.zero_points[0]) * 128
        on_output_scale = _doubling_high_multiply(fine, self.output_multiplier)
        # The factor in [-1, 1], 16 bits: all but one bit of a shift to the left come first, saturating.
        factor = fine
        if self.relu_shift > 0:
            factor = _saturate(factor << (self.relu_shift - 1))
        factor = _doubling_high_multiply(factor, self.relu_multiplier)
        if self.relu_shift > 0:
            factor = _saturate(factor << 1)
        if self.relu_shift < 0:
            factor = rounding_shift_right(factor, -self.relu_shift)
        factor = (factor + 2**15) >> 1
        product = factor * on_output_scale
        y = product >> 15 if product >= 0 else -(-product >> 15)  # towards zero
        return rounding_shift_right(y, -self.output_shift) + self.y.zero_points[0]
