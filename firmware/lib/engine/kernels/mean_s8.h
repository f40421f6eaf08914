/* SPDX-License-Identifier: Apache-2.0
 * MEAN, int8, over neighbouring dimensions: input [outer][count][inner], output [outer][inner].
 * Bit-exact with TFLite Micro (reference/reduce.h, QuantizedMeanOrSum): 1 / count is part of the multiplier.
 */
#ifndef TINYPROOF_KERNELS_MEAN_S8_H
#define TINYPROOF_KERNELS_MEAN_S8_H

#include "requantize.h"

struct mean_s8 {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t offset;     /* -count times the input's zero point */
    int32_t multiplier; /* as in TFLite; below 2^30 it may be, so requantize() cannot take it */
    int32_t left_shift;
    int32_t right_shift;
    int32_t zero_point;
};

KERNEL_INLINE int8_t mean_s8_output(int32_t sum, const struct mean_s8 *p) {
    const int64_t product = (int64_t)(sum * (INT32_C(1) << p->left_shift)) * p->multiplier;
    const int32_t scaled = (int32_t)((product + (INT64_C(1) << 30)) >> 31);
    if (p->right_shift > 0) {
        return clamp_s8(rounding_shift_right(scaled, p->right_shift - 1, p->zero_point), INT8_MIN, INT8_MAX);
    }
    return clamp_s8(scaled + p->zero_point, INT8_MIN, INT8_MAX);
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void mean_s8(const int8_t *input, int8_t *output, const struct mean_s8 *p) {
    for (int32_t outer = 0; outer < p->outer; outer++) {
        for (int32_t inner = 0; inner < p->inner; inner++) {
            const int8_t *element = input + inner;
            int32_t sum = p->offset;
            for (int32_t left = p->count; left > 0; left--) {
                sum += *element;
                element += p->inner;
            }
            *output++ = mean_s8_output(sum, p);
        }
        input += p->count * p->inner;
    }
}

#endif
