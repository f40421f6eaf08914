/* SPDX-License-Identifier: Apache-2.0
 * A vector times four rows of int16 weights, on any core; kernels_dsp/ has the same for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_FOUR_ROWS_H
#define TINYPROOF_KERNELS_FOUR_ROWS_H

#include "kernels/four_rows_parameters.h"

KERNEL_INLINE int32_t saturate_s16(int32_t value) {
    value = value < -32768 ? -32768 : value;
    return value > 32767 ? 32767 : value;
}

/* Rescaled with a shift to the right, and saturated. */
KERNEL_INLINE int32_t rescale_s16(int32_t value, int32_t multiplier_minus, int32_t halving_shift) {
    return saturate_s16(requantize(value, multiplier_minus, halving_shift, 1, 0));
}

/* Four bytes at a time. */
KERNEL_INLINE void four_rows_widen(int16_t *to, const int8_t *from, int32_t groups) {
    for (; groups > 0; groups--, to += 4, from += 4) {
        to[0] = from[0];
        to[1] = from[2];
        to[2] = from[1];
        to[3] = from[3];
    }
}

/* Adds a vector times four rows, which are aligned to 4 bytes as it is. */
KERNEL_INLINE void four_rows_multiply(struct four_sums *sums, KERNEL_TABLE int16_t *w, const int16_t *x,
                                      int32_t groups) {
    int32_t s0 = sums->sum[0], s1 = sums->sum[1], s2 = sums->sum[2], s3 = sums->sum[3];
    for (; groups > 0; groups--, w += 16, x += 4) {
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        s0 += w[0] * x0 + w[1] * x1 + w[2] * x2 + w[3] * x3;
        s1 += w[4] * x0 + w[5] * x1 + w[6] * x2 + w[7] * x3;
        s2 += w[8] * x0 + w[9] * x1 + w[10] * x2 + w[11] * x3;
        s3 += w[12] * x0 + w[13] * x1 + w[14] * x2 + w[15] * x3;
    }
    *sums = (struct four_sums){{s0, s1, s2, s3}};
}

#endif
