/* SPDX-License-Identifier: Apache-2.0
 * REDUCE_MAX and REDUCE_MIN along any dimensions, int8. Bit-exact with TFLite Micro (reference/reduce.h, ReduceGeneric).
 */
#ifndef TINYPROOF_KERNELS_REDUCE_EXTREME_S8_H
#define TINYPROOF_KERNELS_REDUCE_EXTREME_S8_H

#include "reduce.h"

struct reduce_extreme_s8 {
    REDUCE_LOOPS;
    int32_t flip; /* 0: the largest; -1: the smallest, which is the largest of all bits inverted */
};

KERNEL_INLINE int32_t larger_s32(int32_t a, int32_t b) {
    return a > b ? a : b;
}

KERNEL_INLINE int32_t reduce_extreme_s8_largest(const int8_t *first, const struct reduce_extreme_s8 *p) {
    int32_t largest = INT8_MIN;
    REDUCE_EACH(p, int8_t, largest = larger_s32(largest, *x ^ p->flip));
    return largest;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void reduce_extreme_s8(const int8_t *input, int8_t *output, const struct reduce_extreme_s8 *p) {
    REDUCE(p, int8_t, reduce_extreme_s8_largest(first, p) ^ p->flip);
}

#endif
