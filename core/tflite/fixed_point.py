# SPDX-License-Identifier: Apache-2.0
"""The fixed-point functions behind TFLite Micro's LOGISTIC, TANH, SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION.

Source: gemmlowp, fixedpoint/fixedpoint.h. A Qm.n number is an int with value raw / 2**n and n = 31 - m. Inputs are such
that nothing leaves 32 bits, except where a saturation is written out.
"""

from __future__ import annotations

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# exp(-2**k) in Q0.31 for k = -2 to 4.
_EXP_OF_MINUS_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
_EXP_OF_MINUS_EIGHTH = 1895147668
_ONE_THIRD = 715827883
_SQRT_HALF, _SQRT_SQRT_HALF, _LOG_2 = 1518500250, 1805811301, 1488522236
_LOG_ALPHA_N, _LOG_ALPHA_D, _LOG_ALPHA_I, _LOG_ALPHA_F = 117049297, 127690142, 1057819769, 638450708
RECIPROCAL_START, RECIPROCAL_SLOPE = 1515870810, -1010580540  # 48 / 17 and -32 / 17 in Q2.29


def doubling_high_multiply(a: int, b: int) -> int:
    """round(a * b / 2**31), ties toward +infinity: SaturatingRoundingDoublingHighMul of int32."""
    if a == b == INT32_MIN:
        return INT32_MAX
    return (a * b + 2**30) >> 31


def rounding_shift_right(a: int, exponent: int) -> int:
    """round(a / 2**exponent), ties away from zero: RoundingDivideByPOT."""
    if exponent == 0:
        return a
    return (a + (1 << (exponent - 1)) - (a < 0)) >> exponent


def saturating_shift_left(a: int, exponent: int) -> int:
    """SaturatingRoundingMultiplyByPOT for a positive exponent."""
    threshold = (1 << (31 - exponent)) - 1
    if a > threshold:
        return INT32_MAX
    return INT32_MIN if a < -threshold else a << exponent


def _exp_on_last_quarter(a: int) -> int:
    """exp(a) for a in [-1/4, 0), Q0.31: a Taylor series around -1/8."""
    x = a + 2**28
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4 = doubling_high_multiply(x2, x2)
    tail = doubling_high_multiply(rounding_shift_right(x4, 2) + x3, _ONE_THIRD) + x2
    return _EXP_OF_MINUS_EIGHTH + doubling_high_multiply(_EXP_OF_MINUS_EIGHTH, x + rounding_shift_right(tail, 1))


def exp_on_negative_values(a: int, integer_bits: int) -> int:
    """exp(a) in Q0.31 for a <= 0 in Q`integer_bits`, at most 5 integer bits."""
    if a == 0:
        return INT32_MAX
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    last_quarter = (a & (quarter - 1)) - quarter
    result = _exp_on_last_quarter(saturating_shift_left(last_quarter, integer_bits))
    remainder = last_quarter - a
    for power, factor in enumerate(_EXP_OF_MINUS_POWERS, start=-2):
        if integer_bits > power and remainder >> (fractional_bits + power) & 1:
            result = doubling_high_multiply(result, factor)
    return result


def _half_reciprocal(a: int) -> int:
    """2 / (1 + a) for a in [0, 1) of Q0.31, as Q2.29: three steps of Newton and Raphson."""
    half_denominator = (a + INT32_MAX + 1) >> 1
    x = RECIPROCAL_START + doubling_high_multiply(half_denominator, RECIPROCAL_SLOPE)
    for _ in range(3):
        error = 2**29 - doubling_high_multiply(half_denominator, x)
        x += saturating_shift_left(doubling_high_multiply(x, error), 2)
    return x


def one_over_one_plus(a: int) -> int:
    """1 / (1 + a) for a in [0, 1), both Q0.31."""
    return saturating_shift_left(_half_reciprocal(a), 1)


def logistic(a: int, integer_bits: int) -> int:
    """1 / (1 + exp(-a)) in Q0.31."""
    if a == 0:
        return 2**30
    positive = one_over_one_plus(exp_on_negative_values(-abs(a), integer_bits))
    return positive if a > 0 else INT32_MAX - positive


def tanh(a: int, integer_bits: int) -> int:
    """tanh(a) in Q0.31, from exp(-2 |a|)."""
    if a == 0:
        return 0
    magnitude = saturating_shift_left(_half_reciprocal(exp_on_negative_values(-abs(a), integer_bits + 1)) - 2**29, 2)
    return magnitude if a > 0 else -magnitude


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Inputs this far from the zero point or farther saturate: CalculateInputRadius."""
    return (((1 << integer_bits) - 1) << (31 - integer_bits)) >> left_shift


def logarithm(x: int) -> int:
    """ln(x) in Q5.26 of an x of at least 1 in Q12.19: log_x_for_x_greater_than_or_equal_to_1 of tflite-micro,
    tensorflow/lite/kernels/internal/common.h."""
    headroom = 31 - x.bit_length()
    r_a = saturating_shift_left(doubling_high_multiply(x << headroom, _SQRT_HALF), 1)
    k_a = ((11 - headroom) << 25) + (1 << 23)
    headroom_b = 31 - doubling_high_multiply(x, _SQRT_HALF).bit_length()
    r_b = saturating_shift_left(x, headroom_b)
    k_b = ((12 - headroom_b) << 25) - (1 << 23)
    r = min(r_a, r_b)
    p = (r + _SQRT_SQRT_HALF + 1) >> 1
    q = 2 * (r - _SQRT_SQRT_HALF)
    q2 = doubling_high_multiply(q, q)
    numerator = doubling_high_multiply(q, r) + doubling_high_multiply(doubling_high_multiply(q, q2), _LOG_ALPHA_N)
    denominator = doubling_high_multiply(p, _LOG_ALPHA_I + q + doubling_high_multiply(_LOG_ALPHA_D, q2))
    denominator += doubling_high_multiply(_LOG_ALPHA_F, q)
    log_r = doubling_high_multiply(rounding_shift_right(numerator, 6), one_over_one_plus(denominator))
    return saturating_shift_left(doubling_high_multiply(max(k_a, k_b), _LOG_2) + log_r, 1)


def inverse_square_root(x: int) -> tuple[int, int]:
    """(multiplier, right shift) with 1 / sqrt(x) = multiplier * 2**-(31 + shift), and 0 taken for 1:
    GetInvSqrtQuantizedMultiplierExp of the same file."""
    if x <= 1:
        return INT32_MAX, 0
    shift = 11
    while x >= 1 << 29:
        x //= 4
        shift += 1
    pairs = (31 - x.bit_length()) // 2 - 1
    shift -= pairs
    half = rounding_shift_right((x << 2 * pairs) >> 1, 1)
    root = 1 << 28  # Q3.28
    for _ in range(5):
        cube = doubling_high_multiply(doubling_high_multiply(root, root), root)
        cube = saturating_shift_left(cube, 6)
        change = doubling_high_multiply((1 << 28) + (1 << 27), root) - doubling_high_multiply(half, cube)
        root = saturating_shift_left(change, 3)
    multiplier = doubling_high_multiply(root, _SQRT_HALF)
    return multiplier << max(-shift, 0), max(shift, 0)
