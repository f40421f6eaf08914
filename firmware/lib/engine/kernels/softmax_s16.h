/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX along the last dimension, int16 to int16. Bit-exact with TFLite Micro (reference/softmax.h, SoftmaxInt16):
 * exponentials and reciprocals lie on straight lines between values of two tables.
 */
#ifndef TINYPROOF_KERNELS_SOFTMAX_S16_H
#define TINYPROOF_KERNELS_SOFTMAX_S16_H

#include "broadcast.h"
#include "fixed_point.h"

struct softmax_s16 {
    int32_t rows;
    int32_t depth;
    int32_t multiplier; /* of a distance to the maximum, so that 65535 stands for 10: encoded as in requantize.h */
    int32_t shift;
    KERNEL_TABLE int16_t *exponentials; /* [513]: exp(-10) to exp(0), Q0.15 */
    KERNEL_TABLE int16_t *reciprocals;  /* [513]: 1 / (1 + x) from 0 to 1, Q0.15 */
};

/* The table's value at a place in 2^-7 of its steps. */
KERNEL_INLINE int32_t softmax_s16_between(KERNEL_TABLE int16_t *table, int32_t place) {
    KERNEL_TABLE int16_t *base = table + (place >> 7);
    return base[0] + (((base[1] - base[0]) * (place & 127) + 64) >> 7);
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void softmax_s16(const int16_t *input, int16_t *output, const struct softmax_s16 *p) {
    for (int32_t row = p->rows; row > 0; row--) {
        int32_t largest = INT16_MIN;
        for (int32_t i = 0; i < p->depth; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }

        uint32_t sum = 0; /* Q16.15 */
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t place = requantize(input[i] - largest, p->multiplier, p->shift, 0, 0);
            const int32_t y = softmax_s16_between(p->exponentials, clamp_s32(place + 65535, 0, 65535));
            output[i] = (int16_t)y;
            sum += (uint32_t)y;
        }
        /* sum = (1 + x) 2^(16 - zeros); the largest element's own exponential is nearly 1, so it is not 0. */
        const int32_t zeros = leading_zeros(sum);
        const int32_t x = (int32_t)(((sum << zeros >> 1) + (UINT32_C(1) << 13)) >> 14) - (INT32_C(1) << 16);
        const int32_t reciprocal = softmax_s16_between(p->reciprocals, clamp_s32(x, 0, 65535));

        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t y = (output[i] * reciprocal + (INT32_C(1) << (30 - zeros))) >> (31 - zeros);
            output[i] = (int16_t)clamp_s32(y, 0, INT16_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
