# SPDX-License-Identifier: Apache-2.0
"""TFLite Micro's quantized arithmetic: how it turns scales into integers, and how it rounds.

Sources: tflite-micro, tensorflow/lite/kernels/internal/{quantization_util.cc,common.h}, kernel_util.cc and
micro/kernels/fully_connected_common.cc. TFLM computes some of these in float32 and some in double; the last bit depends
on which, so `float32` marks every place.
"""

from __future__ import annotations

import math
import struct

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.fixed_point import doubling_high_multiply, rounding_shift_right

INT8_MIN, INT8_MAX = -128, 127
BYTE_DISTANCES = INT8_MAX - INT8_MIN + 1  # that two int8 can have
INT32_MAX = 2**31 - 1
MAX_WIDE_SHIFT = 7  # to the left, of a sum of 64 bits: what TFLite Micro promises to take
# Beyond any value that is quantized, whatever its zero point; keeps what is infinite or no number out of the rounding.
BEYOND = 2.0**30
ACTIVATION_RANGES: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}


def float32(value: float) -> float:
    """Nearest float32, infinite beyond its range. One +, -, * or / of float32 values in double and then this equals the
    float32 operation, as 53 >= 2 * 24 + 2 (Figueroa, "When is double rounding innocuous?", 1995)."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def round_half_away(value: float) -> int:
    """C's round()."""
    magnitude = math.floor(abs(value))
    if abs(value) - magnitude >= 0.5:
        magnitude += 1
    return magnitude if value >= 0 else -magnitude


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real = multiplier * 2**(shift - 31): QuantizeMultiplier. `shift` > 0 shifts left.

    A `real` below 2**-32 becomes (0, 0), as there.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * 2**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def reduce_multiplier(multiplier: int) -> int:
    """The 15 bits of a multiplier that a sum of 64 bits is multiplied by: MultiplyByQuantizedMultiplier for int64."""
    return (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF


def weight_multipliers(input_scale: float, weight_scales: tuple[float, ...], output_scale: float) -> list[float]:
    """Real rescaling factors, one for all or one per channel, in double throughout.

    Older TFLM rounds the product of scales to float32 where there is one weight scale; the pinned wheel does not
    (found by its answers at exact ties, see tests/export/test_multipliers.py).
    """
    return [input_scale * scale / output_scale for scale in weight_scales]


def activation_range(activation: str, scale: float, zero_point: int, dtype: str = "int8") -> tuple[int, int]:
    """Clamp of the output: CalculateActivationRangeQuantized. Raises ValueError when nothing lies inside."""
    low, high = ACTIVATION_RANGES[activation]

    def quantized(real: float) -> int:
        ratio = float32(real / scale)
        if not abs(ratio) < 2**31:
            raise ValueError(f"{real} is more than 32 bits of its scale")
        return zero_point + round_half_away(ratio)

    lowest, highest = DTYPES[dtype].low, DTYPES[dtype].high
    q_min = lowest if low is None else max(lowest, quantized(low))
    q_max = highest if high is None else min(highest, quantized(high))
    if q_min > q_max:
        raise ValueError(f"no {dtype} value lies in its range")
    return q_min, q_max


def quantize(real: float, scale: float, zero_point: int, dtype: str = "int8") -> int:
    """q = clamp(round(real / scale) + zero_point) in float32, ties away from zero."""
    return min(max(_level(real, scale, zero_point), DTYPES[dtype].low), DTYPES[dtype].high)


def real_limits(dtype: str, scale: float, zero_point: int) -> tuple[float, float]:
    """Lowest and highest real value that an element can stand for."""
    return scale * (DTYPES[dtype].low - zero_point), scale * (DTYPES[dtype].high - zero_point)


def saturates(real: float, scale: float, zero_point: int, dtype: str = "int8") -> bool:
    """Whether `real` lies beyond the type's range, so that `quantize` clamps it."""
    return not DTYPES[dtype].low <= _level(real, scale, zero_point) <= DTYPES[dtype].high


def _level(real: float, scale: float, zero_point: int) -> int:
    """round(real / scale) + zero_point before the clamp; beyond either end it may be any value that is beyond it."""
    ratio = float32(float32(real) / float32(scale))
    return round_half_away(max(-BEYOND, min(BEYOND, ratio))) + zero_point


def dequantize(q: int, scale: float, zero_point: int) -> float:
    """real = scale * (q - zero_point) in float32; the difference of what is quantized has at most 17 bits, so that it
    is exact in float32 and the product rounds once."""
    return float32(float32(scale) * float32(q - zero_point))


def at_end(q: int, zero_point: int, dtype: str = "int8") -> bool:
    """Whether an answer stands at an end of its type, where the truth may lie beyond; an end that is the tensor's own
    zero says nothing, as after a RELU."""
    return q in (DTYPES[dtype].low, DTYPES[dtype].high) and q != zero_point and dtype != "bool"


def requantize(accumulator: int, multiplier: int, shift: int) -> int:
    """MultiplyByQuantizedMultiplier: doubling high multiply (ties toward +inf), then shift (ties away from zero)."""
    high = doubling_high_multiply(accumulator << max(shift, 0), multiplier)
    return rounding_shift_right(high, max(-shift, 0))


def fits_32_bits(reach: int, multiplier: int, shift: int, room: int = 256) -> bool:
    """Whether `requantize` leaves 32 bits nowhere for any sum of at most +-`reach`; `room` is for what is added to its
    answer, such as a zero point."""
    shifted = reach << max(shift, 0)
    rounding = (1 << max(-shift, 0)) >> 1
    return shift < 31 and shifted <= INT32_MAX and (shifted * multiplier >> 31) + rounding + room <= INT32_MAX
