/* SPDX-License-Identifier: Apache-2.0
 * One column of inputs, widened, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_WIDEN_H
#define TINYPROOF_KERNELS_WIDEN_H

#include "kernels/dsp.h"

/* `words` words of input to a column, whose end it returns. */
static __attribute__((noinline)) word *widen(word *column, const int8_t *x, int32_t words) {
    int32_t fours = words / 4;
    /* clang-format off */
    if (fours) {
        __asm__ volatile(
            "1:\n\t"
            "ldr r4, [%[x], #4]\n\t"
            "ldr r6, [%[x], #8]\n\t"
            "ldr r9, [%[x], #12]\n\t"
            "ldr r11, [%[x]], #16\n\t"
            "sxtb16 r5, r4, ror #8\n\t"
            "sxtb16 r12, r11, ror #8\n\t"
            "sxtb16 r8, r6, ror #8\n\t"
            "sxtb16 r10, r9, ror #8\n\t"
            "sxtb16 r4, r4\n\t"
            "sxtb16 r6, r6\n\t"
            "sxtb16 r9, r9\n\t"
            "sxtb16 r11, r11\n\t"
            "subs %[fours], %[fours], #1\n\t"
            "strd r11, r12, [%[column]], #8\n\t"
            "stmia %[column]!, {r4, r5, r6, r8, r9, r10}\n\t"
            "bne 1b"
            : [column] "+r"(column), [x] "+r"(x), [fours] "+r"(fours)
            :
            : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    }
    /* clang-format on */
    for (int32_t left = words % 4; left > 0; left--, x += 4, column += 2) {
        column[0] = widen_even(*(const loose_word *)x);
        column[1] = widen_odd(*(const loose_word *)x);
    }
    return column;
}

#endif
