/* SPDX-License-Identifier: Apache-2.0
 * Two rows times one column.
 */
#ifndef TINYPROOF_KERNELS_DOTS_H
#define TINYPROOF_KERNELS_DOTS_H

#include "kernels/requantize.h"

/* Where element `k` of a column of int16 lies for `dot_bytes`. */
KERNEL_INLINE int32_t column_place(int32_t k, int32_t depth) {
    (void)depth; /* the kernels for DSP extensions put those of each four in another order */
    return k;
}

/* Adds rows of bytes times a column to two sums; they are of the arena, or of a table in flash. */
#define DEFINE_DOT_BYTES(name, memory)                                                                                 \
    KERNEL_INLINE void name(int32_t sums[2], memory int8_t *first, memory int8_t *second, const int16_t *column,       \
                            int32_t depth) {                                                                           \
        int32_t a = sums[0], b = sums[1];                                                                              \
        for (; depth > 0; depth--, column++) {                                                                         \
            const int32_t x = *column;                                                                                 \
            a += *first++ * x;                                                                                         \
            b += *second++ * x;                                                                                        \
        }                                                                                                              \
        sums[0] = a;                                                                                                   \
        sums[1] = b;                                                                                                   \
    }
DEFINE_DOT_BYTES(dot_bytes, const)
DEFINE_DOT_BYTES(dot_table, KERNEL_TABLE)

/* Adds rows of int16 times a column to two sums. */
KERNEL_INLINE void dot_halves(int64_t sums[2], const int16_t *first, const int16_t *second, const int16_t *column,
                              int32_t depth) {
    int64_t a = sums[0], b = sums[1];
    for (; depth > 0; depth--, column++) {
        const int32_t x = *column;
        a += *first++ * x;
        b += *second++ * x;
    }
    sums[0] = a;
    sums[1] = b;
}

#endif
