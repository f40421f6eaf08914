/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX along the last dimension, int8 to int8. Bit-exact with TFLite Micro (reference/softmax.h) and the fixed-point
 * reciprocal of gemmlowp (fixedpoint/fixedpoint.h, one_over_one_plus_x_for_x_in_0_1).
 */
#ifndef TINYPROOF_KERNELS_SOFTMAX_S8_H
#define TINYPROOF_KERNELS_SOFTMAX_S8_H

#include "requantize.h"

struct softmax_s8 {
    int32_t rows;
    int32_t depth;
    int32_t exponentials_count;         /* elements this far below the maximum or farther answer 0 */
    KERNEL_TABLE int32_t *exponentials; /* Q0.31, by the distance to the maximum */
};

/* round(a * b / 2^31), ties toward +infinity, for any two factors that are not both INT32_MIN. */
KERNEL_INLINE int32_t softmax_s8_multiply(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* 1 / (1 + fraction), both Q0.31: three steps of Newton and Raphson in Q2.29, from 48/17 - 32/17 d. No step comes near a
 * bound of its format, but for the last shift, where a fraction of 0 gives 1, which is one too many for Q0.31.
 */
KERNEL_INLINE int32_t softmax_s8_reciprocal(int32_t fraction) {
    const int32_t half_denominator = (int32_t)(((uint32_t)fraction + (UINT32_C(1) << 31)) >> 1);
    int32_t x = INT32_C(1515870810) + softmax_s8_multiply(half_denominator, INT32_C(-1010580540));
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (INT32_C(1) << 29) - softmax_s8_multiply(half_denominator, x);
        x += softmax_s8_multiply(x, error) * 4;
    }
    return x > (INT32_C(1) << 30) - 1 ? INT32_MAX : x * 2;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void softmax_s8(const int8_t *input, int8_t *output, const struct softmax_s8 *p) {
    for (int32_t row = 0; row < p->rows; row++) {
        int32_t largest = INT8_MIN;
        for (int32_t i = 0; i < p->depth; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }

        uint32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t distance = largest - input[i];
            if (distance < p->exponentials_count) {
                sum += (uint32_t)rounding_shift_right(p->exponentials[distance], 11, 0);
            }
        }
        /* sum = (1 + fraction) 2^(12 - headroom); at least one exponential is 1, so it is not 0. */
        int32_t headroom = 0;
        for (; sum < UINT32_C(1) << 31; sum <<= 1) {
            headroom++;
        }
        const int32_t scale = softmax_s8_reciprocal((int32_t)(sum - (UINT32_C(1) << 31)));
        const int32_t exponent = 12 - headroom + 23;

        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t distance = largest - input[i];
            int32_t y = INT8_MIN;
            if (distance < p->exponentials_count && exponent <= 31) { /* beyond it every answer rounds to 0 */
                y = rounding_shift_right(softmax_s8_multiply(scale, p->exponentials[distance]), exponent - 1, INT8_MIN);
            }
            output[i] = clamp_s8(y, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
