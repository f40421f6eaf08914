/* SPDX-License-Identifier: Apache-2.0
 * What SOFTMAX from int8 to int8 or int16 and LOG_SOFTMAX share: the sum of a row's exponentials. Bit-exact with TFLite
 * Micro (reference/softmax.h).
 */
#ifndef TINYPROOF_KERNELS_SOFTMAX_H
#define TINYPROOF_KERNELS_SOFTMAX_H

#include "broadcast.h"
#include "fixed_point.h"

/* Members of a kernel's parameter struct. */
#define SOFTMAX_TABLE                                                                                                  \
    int32_t rows;                                                                                                      \
    int32_t depth;                                                                                                     \
    int32_t exponentials_count;        /* elements this far below the maximum or farther count as 0 */                 \
    KERNEL_TABLE int32_t *exponentials /* Q0.31, by the distance to the maximum */

struct softmax_row {
    int32_t largest;
    uint32_t sum; /* Q12.19 */
};

/* How far an element is below the largest of its row. */
KERNEL_INLINE int32_t softmax_distance(int32_t largest, int32_t element) {
    return largest - element;
}

KERNEL_INLINE struct softmax_row softmax_sum(const int8_t *input, int32_t depth, int32_t exponentials_count,
                                             KERNEL_TABLE int32_t *exponentials) {
    struct softmax_row row = {INT8_MIN, 0};
    for (int32_t i = 0; i < depth; i++) {
        row.largest = input[i] > row.largest ? input[i] : row.largest;
    }
    for (int32_t i = 0; i < depth; i++) {
        const int32_t distance = softmax_distance(row.largest, input[i]);
        if (distance < exponentials_count) {
            row.sum += (uint32_t)rounding_shift_right(exponentials[distance], 11, 0);
        }
    }
    return row;
}

/* All answers of `bits` bits, the lowest of which is `zero`. */
#define SOFTMAX(p, type, bits, zero, highest)                                                                          \
    do {                                                                                                               \
        for (int32_t left = (p)->rows; left > 0; left--, input += (p)->depth, output += (p)->depth) {                  \
            const struct softmax_row row = softmax_sum(input, (p)->depth, (p)->exponentials_count, (p)->exponentials); \
            /* sum = (1 + fraction) 2^(12 - headroom); at least one exponential is 1, so it is not 0. */               \
            const int32_t headroom = leading_zeros(row.sum);                                                           \
            const int32_t scale = one_over_one_plus((int32_t)((row.sum << headroom) - (UINT32_C(1) << 31)));           \
            const int32_t exponent = 12 - headroom + 31 - (bits);                                                      \
            for (int32_t i = 0; i < (p)->depth; i++) {                                                                 \
                const int32_t distance = softmax_distance(row.largest, input[i]);                                      \
                int32_t y = zero;                                                                                      \
                if (distance < (p)->exponentials_count && exponent <= 31) { /* beyond it every answer rounds to 0 */   \
                    const int32_t share = fixed_point_multiply(scale, (p)->exponentials[distance]);                    \
                    y = rounding_shift_right(share, exponent - 1, zero);                                               \
                }                                                                                                      \
                output[i] = (type)(y > (highest) ? (highest) : y);                                                     \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
