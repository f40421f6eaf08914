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

/* Adds rows of bytes times a column to two sums. */
KERNEL_INLINE void dot_bytes(int32_t sums[2], const int8_t *first, const int8_t *second, const int16_t *column,
                             int32_t depth) {
    int32_t a = sums[0], b = sums[1];
    for (; depth > 0; depth--, column++) {
        const int32_t x = *column;
        a += *first++ * x;
        b += *second++ * x;
    }
    sums[0] = a;
    sums[1] = b;
}

/* The same with rows of a table, each whole four of them in the order 0, 2, 1, 3, and the column as it is. */
KERNEL_INLINE void dot_table(int32_t sums[2], KERNEL_TABLE int8_t *first, KERNEL_TABLE int8_t *second,
                             const int16_t *column, int32_t depth) {
    int32_t a = sums[0], b = sums[1];
    for (; depth >= 4; depth -= 4, first += 4, second += 4, column += 4) {
        const int32_t x0 = column[0], x1 = column[1], x2 = column[2], x3 = column[3];
        a += first[0] * x0 + first[1] * x2;
        a += first[2] * x1 + first[3] * x3;
        b += second[0] * x0 + second[1] * x2;
        b += second[2] * x1 + second[3] * x3;
    }
    for (; depth > 0; depth--, column++) {
        const int32_t x = *column;
        a += *first++ * x;
        b += *second++ * x;
    }
    sums[0] = a;
    sums[1] = b;
}

/* Adds rows of int16 times a column to two sums. */
KERNEL_INLINE void dot_halves(int64_t sums[2], const int16_t *first, const int16_t *second, const int16_t *column,
                              int32_t depth) {
    int64_t a = sums[0], b = sums[1];
    for (; depth > 0; depth--, column++) {
        const int32_t x = *column;
        a += (int64_t)(*first++ * x);
        b += (int64_t)(*second++ * x);
    }
    sums[0] = a;
    sums[1] = b;
}

#endif
