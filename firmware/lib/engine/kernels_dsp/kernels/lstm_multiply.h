/* SPDX-License-Identifier: Apache-2.0
 * What lstm does most, for cores with the DSP extension. Bit-exact with kernels/, see there.
 * 16 multiply-accumulates, four inputs and four gates, are 13 instructions.
 */
#ifndef TINYPROOF_KERNELS_LSTM_MULTIPLY_H
#define TINYPROOF_KERNELS_LSTM_MULTIPLY_H

#include "kernels/dsp.h"
#include "kernels/lstm_parameters.h"

KERNEL_INLINE int32_t lstm_saturate(int32_t value) {
    __asm__("ssat %0, #16, %1" : "=r"(value) : "r"(value));
    return value;
}

KERNEL_INLINE int32_t lstm_rescale(int32_t value, int32_t multiplier_minus, int32_t halving_shift) {
    __asm__("smmlar %0, %1, %2, %1" : "=&r"(value) : "r"(value), "r"(multiplier_minus));
    value = ((value + (value >> 31)) >> halving_shift) + 1;
    __asm__("ssat %0, #16, %1, asr #1" : "=r"(value) : "r"(value));
    return value;
}

KERNEL_INLINE void lstm_widen(int16_t *to, const int8_t *from, int32_t groups) {
    widen((word *)(void *)to, from, groups, 2);
}

/* Two inputs at a time times two words of a gate's weights. */
#define LSTM_GATE(sum, w0, w1) "smlad " sum ", " w0 ", r4, " sum "\n\tsmlad " sum ", " w1 ", r5, " sum "\n\t"

KERNEL_INLINE void lstm_multiply(struct lstm_sums *sums, const int16_t *w, const int16_t *x, int32_t groups) {
    int32_t s0 = sums->gate[0], s1 = sums->gate[1], s2 = sums->gate[2], s3 = sums->gate[3];
    const int16_t *end = x + 4 * groups;
    __asm__ volatile("1:\n\t"
                     "ldmia %[x]!, {r4, r5}\n\t"
                     "ldmia %[w]!, {r6, r8, r9, r10}\n\t" LSTM_GATE("%[s0]", "r6", "r8") LSTM_GATE(
                         "%[s1]", "r9", "r10") "ldmia %[w]!, {r6, r8, r9, r10}\n\t" LSTM_GATE("%[s2]", "r6", "r8")
                         LSTM_GATE("%[s3]", "r9", "r10") "cmp %[x], %[end]\n\t"
                                                         "bne 1b"
                     : [x] "+r"(x), [w] "+r"(w), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3)
                     : [end] "r"(end)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
    *sums = (struct lstm_sums){{s0, s1, s2, s3}};
}

#endif
