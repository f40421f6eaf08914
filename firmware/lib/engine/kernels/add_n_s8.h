/* SPDX-License-Identifier: Apache-2.0
 * ADD_N, int8: one call for each operand, all of one quantization. Bit-exact with TFLite Micro (reference/add_n.h), whose
 * sum is of operands with 19 more bits, and begins with the zero point's opposite instead of 0.
 */
#ifndef TINYPROOF_KERNELS_ADD_N_S8_H
#define TINYPROOF_KERNELS_ADD_N_S8_H

#include "requantize.h"

struct add_n_s8 {
    int32_t count;
    int32_t first; /* 1: the scratch holds no sum yet */
    int32_t last;  /* 1: the sum is complete */
    int32_t input_zero_point;
    int32_t multiplier; /* of the sum: encoded as in requantize.h, like the shift */
    int32_t shift;
    int32_t zero_point;
};

KERNEL_INLINE void add_n_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct add_n_s8 *p) {
    int16_t *sums = (int16_t *)(void *)scratch; /* [count] */
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t sum = (p->first ? -p->input_zero_point : sums[i]) + input[i] - p->input_zero_point;
        if (p->last) {
            const int32_t y = requantize(sum * (INT32_C(1) << 19), p->multiplier, p->shift, 0, p->zero_point);
            output[i] = clamp_s8(y, INT8_MIN, INT8_MAX);
        } else {
            sums[i] = (int16_t)sum;
        }
    }
}

#endif
