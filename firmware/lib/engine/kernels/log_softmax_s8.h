/* SPDX-License-Identifier: Apache-2.0
 * LOG_SOFTMAX along the last dimension, int8. Bit-exact with TFLite Micro (reference/log_softmax.h, and common.h,
 * log_x_for_x_greater_than_or_equal_to_1).
 */
#ifndef TINYPROOF_KERNELS_LOG_SOFTMAX_S8_H
#define TINYPROOF_KERNELS_LOG_SOFTMAX_S8_H

#include "softmax.h"

struct log_softmax_s8 {
    SOFTMAX_TABLE;
    int32_t distances_count;         /* elements this far below the maximum or farther have the lowest answer */
    KERNEL_TABLE int32_t *distances; /* minus the distance to the maximum, Q5.26 */
    int32_t multiplier; /* from Q5.26 to steps of the input: encoded as in requantize.h, like the shift */
    int32_t shift;
};

/* ln(x) in Q5.26 of an x of at least 1 in Q12.19: ln(r 2^k) = k ln 2 + ln(r) with r around 2^-1/4, where a quotient of
 * two polynomials is the logarithm. k is a number and a half or a quarter, whichever brings r nearer.
 */
KERNEL_INLINE int32_t log_softmax_logarithm(uint32_t x) {
    const int32_t root_half = INT32_C(1518500250), fourth_root_half = INT32_C(1805811301); /* Q0.31 */
    const int32_t zeros = leading_zeros(x);
    const int32_t halved = fixed_point_multiply((int32_t)x, root_half);
    const int32_t halved_headroom = leading_zeros((uint32_t)halved) - 1;
    const int32_t r1 =
        saturating_shift_left(fixed_point_multiply(saturating_shift_left((int32_t)x, zeros - 1), root_half), 1);
    const int32_t r2 = saturating_shift_left((int32_t)x, halved_headroom);
    const int32_t r = r1 < r2 ? r1 : r2;
    const int32_t k1 = (12 - zeros) * (INT32_C(1) << 25) + (INT32_C(1) << 23); /* Q6.25 */
    const int32_t k2 = (12 - halved_headroom) * (INT32_C(1) << 25) - (INT32_C(1) << 23);
    const int32_t k = k1 > k2 ? k1 : k2;

    const int32_t p = (int32_t)(((uint32_t)r + (uint32_t)fourth_root_half + 1) >> 1);
    const int32_t q = (r - fourth_root_half) * 2;
    const int32_t q2 = fixed_point_multiply(q, q);
    const int32_t numerator =
        fixed_point_multiply(q, r) + fixed_point_multiply(fixed_point_multiply(q, q2), INT32_C(117049297));
    const int32_t denominator_minus_one =
        fixed_point_multiply(p, INT32_C(1057819769) + q + fixed_point_multiply(INT32_C(127690142), q2)) +
        fixed_point_multiply(INT32_C(638450708), q);
    const int32_t log_r =
        fixed_point_multiply(rounding_shift_right(numerator, 5, 0), one_over_one_plus(denominator_minus_one));
    return saturating_shift_left(fixed_point_multiply(k, INT32_C(1488522236)) + log_r, 1);
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void log_softmax_s8(const int8_t *input, int8_t *output, const struct log_softmax_s8 *p) {
    for (int32_t left = p->rows; left > 0; left--) {
        const struct softmax_row row = softmax_sum(input, p->depth, p->exponentials_count, p->exponentials);
        const int32_t log_sum = log_softmax_logarithm(row.sum);
        /* Below it, what is subtracted would leave Q5.26. */
        const int32_t lowest = requantize(INT32_MIN + log_sum, p->multiplier, p->shift, 0, 0);
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t distance = row.largest - input[i];
            int32_t y = INT8_MIN;
            if (distance < p->distances_count && -distance > lowest) {
                y = rounding_shift_right(p->distances[distance] - log_sum, 21, INT8_MAX);
            }
            output[i] = clamp_s8(y, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
