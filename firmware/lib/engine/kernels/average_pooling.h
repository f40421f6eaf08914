/* SPDX-License-Identifier: Apache-2.0
 * What AVERAGE_POOL_2D of int8 and of int16 share: the sum over the part of a window inside the input, divided by its
 * number of elements, ties away from zero. Bit-exact with TFLite Micro (reference/integer_ops/pooling.h), without a
 * division.
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOLING_H
#define TINYPROOF_KERNELS_AVERAGE_POOLING_H

#include "pooling.h"

/* Members of a kernel's parameter struct. */
#define AVERAGE_POOLING                                                                                                \
    POOLING_SIZES;                                                                                                     \
    int32_t first_count;                /* the tables begin with this number of elements */                            \
    KERNEL_TABLE uint32_t *reciprocals; /* m / count is (2 m * reciprocal >> 32) >> shift */                           \
    KERNEL_TABLE uint8_t *shifts

/* By what the sums of a window are divided. */
#define AVERAGE_POOLING_DIVISOR(p)                                                                                     \
    const int32_t count = rows.count * columns.count;                                                                  \
    const uint32_t reciprocal = (p)->reciprocals[count - (p)->first_count];                                            \
    const uint32_t shift = (p)->shifts[count - (p)->first_count]

#define AVERAGE_POOLING_OUTPUT(p, sum)                                                                                 \
    clamp_s32(average_pooling_divide(sum, count, reciprocal, shift), (p)->clamp_min, (p)->clamp_max)

KERNEL_INLINE int32_t average_pooling_divide(int32_t sum, int32_t count, uint32_t reciprocal, uint32_t shift) {
    const uint32_t magnitude = (uint32_t)(sum < 0 ? -sum : sum) + (uint32_t)count / 2;
    const int32_t quotient = (int32_t)((uint32_t)((uint64_t)(2 * magnitude) * reciprocal >> 32) >> shift);
    return sum < 0 ? -quotient : quotient;
}

#endif
