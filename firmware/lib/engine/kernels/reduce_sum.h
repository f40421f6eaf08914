/* SPDX-License-Identifier: Apache-2.0
 * What MEAN and SUM share, int8 and int16. Bit-exact with TFLite Micro (reference/reduce.h, QuantizedMeanOrSum): 1 / count
 * is part of MEAN's multiplier.
 */
#ifndef TINYPROOF_KERNELS_REDUCE_SUM_H
#define TINYPROOF_KERNELS_REDUCE_SUM_H

#include "reduce.h"

/* Members of a kernel's parameter struct. */
#define REDUCE_SUM_FACTORS                                                                                             \
    int32_t offset;     /* -count times the input's zero point; sums wrap, as they do in the interpreter */            \
    int32_t multiplier; /* as in TFLite; below 2^30 it may be, so requantize() cannot take it */                       \
    int32_t left_shift;                                                                                                \
    int32_t right_shift;                                                                                               \
    int32_t zero_point;                                                                                                \
    int32_t min;                                                                                                       \
    int32_t max

/* The answer of a sum that began with the offset. */
#define REDUCE_SUM_OUTPUT(p, sum)                                                                                      \
    reduce_sum_output(wrap_s32(sum), (p)->multiplier, (p)->left_shift, (p)->right_shift, (p)->zero_point, (p)->min,    \
                      (p)->max)

KERNEL_INLINE uint32_t reduce_sum_add(uint32_t sum, int32_t x) {
    return sum + (uint32_t)x;
}

KERNEL_INLINE int32_t reduce_sum_output(int32_t sum, int32_t multiplier, int32_t left_shift, int32_t right_shift,
                                        int32_t zero_point, int32_t min, int32_t max) {
    const int64_t product = (int64_t)(sum * (INT32_C(1) << left_shift)) * multiplier;
    int32_t scaled = (int32_t)((product + (INT64_C(1) << 30)) >> 31);
    if (right_shift > 0) {
        /* The zero point is added apart: what is rescaled may fill 32 bits. */
        scaled = rounding_shift_right(scaled, right_shift - 1, 0);
    }
    return clamp_s32(scaled + zero_point, min, max);
}

#endif
