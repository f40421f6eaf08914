/* SPDX-License-Identifier: Apache-2.0
 * Fixed-point arithmetic that the softmax kernels and L2_NORMALIZATION share, bit for bit gemmlowp's
 * (fixedpoint/fixedpoint.h). A Qm.n number has m integer bits and n = 31 - m others.
 */
#ifndef TINYPROOF_KERNELS_FIXED_POINT_H
#define TINYPROOF_KERNELS_FIXED_POINT_H

#include "requantize.h"

/* round(a * b / 2^31), ties toward +infinity, for any two factors that are not both INT32_MIN. */
KERNEL_INLINE int32_t fixed_point_multiply(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* a * 2^shift, clamped to 32 bits; SaturatingRoundingMultiplyByPOT. */
KERNEL_INLINE int32_t saturating_shift_left(int32_t a, int32_t shift) {
    const int32_t most = (int32_t)((UINT32_C(1) << (31 - shift)) - 1);
    if (a > most) {
        return INT32_MAX;
    }
    return a < -most ? INT32_MIN : a * (INT32_C(1) << shift);
}

/* How many zeros a number that is not 0 begins with. */
KERNEL_INLINE int32_t leading_zeros(uint32_t value) {
    int32_t zeros = 0;
    for (; value < UINT32_C(1) << 31; value <<= 1) {
        zeros++;
    }
    return zeros;
}

/* 1 / (1 + fraction), both Q0.31: three steps of Newton and Raphson in Q2.29, from 48/17 - 32/17 d. No step comes near a
 * bound of its format, but for the last shift, where a fraction of 0 gives 1, which is one too many for Q0.31.
 */
KERNEL_INLINE int32_t one_over_one_plus(int32_t fraction) {
    const int32_t half_denominator = (int32_t)(((uint32_t)fraction + (UINT32_C(1) << 31)) >> 1);
    int32_t x = INT32_C(1515870810) + fixed_point_multiply(half_denominator, INT32_C(-1010580540));
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (INT32_C(1) << 29) - fixed_point_multiply(half_denominator, x);
        x += fixed_point_multiply(x, error) * 4;
    }
    return x > (INT32_C(1) << 30) - 1 ? INT32_MAX : x * 2;
}

#endif
