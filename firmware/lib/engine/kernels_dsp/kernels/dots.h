/* SPDX-License-Identifier: Apache-2.0
 * Two rows times one column, for cores with the DSP extension. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_DOTS_H
#define TINYPROOF_KERNELS_DOTS_H

#include "kernels/dsp.h"

/* Of each four whole ones the order 0, 2, 1, 3, as SXTB16 unpacks bytes. */
KERNEL_INLINE int32_t column_place(int32_t k, int32_t depth) {
    return k < (depth & ~3) && (k % 4 == 1 || k % 4 == 2) ? k ^ 3 : k;
}

KERNEL_INLINE void dot_bytes(int32_t sums[2], const int8_t *first, const int8_t *second, const int16_t *column,
                             int32_t depth) {
    int32_t a = sums[0], b = sums[1];
    for (; depth >= 4; depth -= 4, first += 4, second += 4, column += 4) {
        const uint32_t x = ((const word *)(const void *)column)[0], y = ((const word *)(const void *)column)[1];
        const uint32_t v = *(const loose_word *)first, w = *(const loose_word *)second;
        a = dual_multiply(widen_even(v), x, a);
        b = dual_multiply(widen_even(w), x, b);
        a = dual_multiply(widen_odd(v), y, a);
        b = dual_multiply(widen_odd(w), y, b);
    }
    for (; depth > 0; depth--, column++) {
        a += *first++ * *column;
        b += *second++ * *column;
    }
    sums[0] = a;
    sums[1] = b;
}

KERNEL_INLINE void dot_table(int32_t sums[2], const int8_t *first, const int8_t *second, const int16_t *column,
                             int32_t depth) {
    dot_bytes(sums, first, second, column, depth);
}

KERNEL_INLINE void dot_halves(int64_t sums[2], const int16_t *first, const int16_t *second, const int16_t *column,
                              int32_t depth) {
    uint32_t a_low = (uint32_t)sums[0], b_low = (uint32_t)sums[1];
    int32_t a_high = (int32_t)(sums[0] >> 32), b_high = (int32_t)(sums[1] >> 32);
    for (; depth >= 2; depth -= 2, first += 2, second += 2, column += 2) {
        const uint32_t x = *(const word *)(const void *)column;
        const uint32_t v = *(const loose_word *)(const void *)first, w = *(const loose_word *)(const void *)second;
        __asm__("smlald %0, %1, %2, %3" : "+r"(a_low), "+r"(a_high) : "r"(v), "r"(x));
        __asm__("smlald %0, %1, %2, %3" : "+r"(b_low), "+r"(b_high) : "r"(w), "r"(x));
    }
    int64_t a = (int64_t)((uint64_t)(uint32_t)a_high << 32 | a_low);
    int64_t b = (int64_t)((uint64_t)(uint32_t)b_high << 32 | b_low);
    if (depth > 0) {
        a += (int64_t)(*first * *column);
        b += (int64_t)(*second * *column);
    }
    sums[0] = a;
    sums[1] = b;
}

#endif
