/* SPDX-License-Identifier: Apache-2.0
 * A vector times four rows of int16 weights, for cores with the DSP extension. Bit-exact with kernels/, see there.
 * 16 multiply-accumulates, four inputs and four rows, are 13 instructions.
 */
#ifndef TINYPROOF_KERNELS_FOUR_ROWS_H
#define TINYPROOF_KERNELS_FOUR_ROWS_H

#include "kernels/dsp.h"
#include "kernels/four_rows_parameters.h"
#include "kernels/widen.h"

KERNEL_INLINE int32_t saturate_s16(int32_t value) {
    __asm__("ssat %0, #16, %1" : "=r"(value) : "r"(value));
    return value;
}

KERNEL_INLINE int32_t rescale_s16(int32_t value, int32_t multiplier_minus, int32_t halving_shift) {
    __asm__("smmlar %0, %1, %2, %1" : "=&r"(value) : "r"(value), "r"(multiplier_minus));
    value = ((value + (value >> 31)) >> halving_shift) + 1;
    __asm__("ssat %0, #16, %1, asr #1" : "=r"(value) : "r"(value));
    return value;
}

KERNEL_INLINE void four_rows_widen(int16_t *to, const int8_t *from, int32_t groups) {
    widen((word *)(void *)to, from, groups);
}

/* clang-format off */
/* Four inputs times two words of a row. */
#define FOUR_ROWS_ADD(sum, w0, w1) "smlad " sum ", " w0 ", r4, " sum "\n\tsmlad " sum ", " w1 ", r5, " sum "\n\t"

KERNEL_INLINE void four_rows_multiply(struct four_sums *sums, const int16_t *w, const int16_t *x, int32_t groups) {
    int32_t s0 = sums->sum[0], s1 = sums->sum[1], s2 = sums->sum[2], s3 = sums->sum[3];
    const int16_t *end = x + 4 * groups;
    __asm__ volatile(
        "1:\n\t"
        "ldmia %[x]!, {r4, r5}\n\t"
        "ldmia %[w]!, {r6, r8, r9, r10}\n\t"
        FOUR_ROWS_ADD("%[s0]", "r6", "r8") FOUR_ROWS_ADD("%[s1]", "r9", "r10")
        "ldmia %[w]!, {r6, r8, r9, r10}\n\t"
        FOUR_ROWS_ADD("%[s2]", "r6", "r8") FOUR_ROWS_ADD("%[s3]", "r9", "r10")
        "cmp %[x], %[end]\n\t"
        "bne 1b"
        : [x] "+r"(x), [w] "+r"(w), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3)
        : [end] "r"(end)
        : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
    *sums = (struct four_sums){{s0, s1, s2, s3}};
}
/* clang-format on */

#endif
