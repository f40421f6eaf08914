/* SPDX-License-Identifier: Apache-2.0
 * The inner loop of depthwise_quads_s8, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H
#define TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H

#include "kernels/dsp.h"

/* Four channels at one offset. r6 and r8 are free, later loaded with multipliers like r4 and r5. */
#define DEPTHWISE_TAP                                                                                                  \
    "ldr r5, [%[offset]], #4\n\t"                                                                                      \
    "ldrd r6, r8, [%[quad]], #8\n\t"                                                                                   \
    "ldr r5, [%[x], r5]\n\t"                                                                                           \
    "sxtb16 r4, r5\n\t"                                                                                                \
    "sxtb16 r5, r5, ror #8\n\t"                                                                                        \
    "smlabb %[a0], r4, r6, %[a0]\n\t"                                                                                  \
    "smlatt %[a2], r4, r6, %[a2]\n\t"                                                                                  \
    "smlabb %[a1], r5, r8, %[a1]\n\t"                                                                                  \
    "smlatt %[a3], r5, r8, %[a3]\n\t"

/* The scaling lies at `place` from `quad` on. */
#define DEPTHWISE_SHIFT_LEFT(a, place)                                                                                 \
    "ldr r4, [%[quad], #" place "]\n\t"                                                                                \
    "asr r4, r4, #8\n\t" REQUANTIZE_SHIFT_LEFT(a, "r4")
#define DEPTHWISE_DOUBLE(a, scaling) "asr %[offset], " scaling ", #31\n\t" REQUANTIZE_DOUBLE(a, "%[offset]", "%[t]")

/* One pixel: inputs at x + offset, for the channels from x to x_end. Returns the end of the outputs. */
static __attribute__((noinline)) int8_t *depthwise_multiply(const int16_t *quad, const int8_t *x, const int8_t *x_end,
                                                            const int32_t *offsets, const int32_t *offsets_end,
                                                            int8_t *output, int32_t rounding) {
    int32_t a0, a1, a2, a3, t;
    const int32_t *offset = offsets;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldrd %[a0], %[a1], [%[quad]], #8\n\t"
        "ldrd %[a2], %[a3], [%[quad]], #8\n\t"
        ALIGN_LOOP "2:\n\t" DEPTHWISE_TAP DEPTHWISE_TAP DEPTHWISE_TAP "cmp %[offset], %[end]\n\t"
        "bne 2b\n\t"
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
        "tst r4, #0x80000000\n\t"
        "bne 6f\n\t"
        "ldrd %[t], %[offset], [%[quad]], #8\n\t"
        ONCE_MULTIPLY("%[a0]", "r4", "%[t]") ONCE_MULTIPLY("%[a1]", "r5", "%[offset]")
        "ldrd %[t], %[offset], [%[quad]], #8\n\t"
        ONCE_MULTIPLY("%[a2]", "r6", "%[t]") ONCE_MULTIPLY("%[a3]", "r8", "%[offset]")
        ONCE_CLAMP("%[a0]") ONCE_CLAMP("%[a1]") ONCE_CLAMP("%[a2]") ONCE_CLAMP("%[a3]") "\n"
        "7:\n\t"
        "ldr r4, %[x_end]\n\t"
        "strb %[a0], [%[output]], #1\n\t"
        "strb %[a1], [%[output]], #1\n\t"
        "strb %[a2], [%[output]], #1\n\t"
        "strb %[a3], [%[output]], #1\n\t"
        "add %[x], %[x], #4\n\t"
        "cmp %[x], r4\n\t"
        "ldr %[offset], %[offsets]\n\t"
        "bne 1b\n\t"
        "b 5f\n"
        "6:\n\t"
        "ldr %[t], [%[quad]]\n\t"
        "tst %[t], #0x20000000\n\t"
        "bne 4f\n\t"
        REQUANTIZE_MULTIPLY("%[a0]", "r4") REQUANTIZE_MULTIPLY("%[a1]", "r5")
        REQUANTIZE_MULTIPLY("%[a2]", "r6") REQUANTIZE_MULTIPLY("%[a3]", "r8")
        "ldmia %[quad]!, {r4, r5, r6, r8}\n"
        "3:\n\t"
        "ldr %[offset], %[rounding]\n\t"
        REQUANTIZE_AWAY_FROM_ZERO("%[a0]") REQUANTIZE_AWAY_FROM_ZERO("%[a1]")
        REQUANTIZE_AWAY_FROM_ZERO("%[a2]") REQUANTIZE_AWAY_FROM_ZERO("%[a3]")
        REQUANTIZE_SHIFT("%[a0]", "r4") REQUANTIZE_SHIFT("%[a1]", "r5")
        REQUANTIZE_SHIFT("%[a2]", "r6") REQUANTIZE_SHIFT("%[a3]", "r8")
        REQUANTIZE_ROUND("%[a0]", "%[offset]") REQUANTIZE_ROUND("%[a1]", "%[offset]")
        REQUANTIZE_ROUND("%[a2]", "%[offset]") REQUANTIZE_ROUND("%[a3]", "%[offset]")
        REQUANTIZE_CLAMP("%[a0]") REQUANTIZE_CLAMP("%[a1]") REQUANTIZE_CLAMP("%[a2]") REQUANTIZE_CLAMP("%[a3]")
        "b 7b\n"
        "4:\n\t" /* one of the four is shifted to the left, or not at all */
        DEPTHWISE_SHIFT_LEFT("%[a0]", "0") DEPTHWISE_SHIFT_LEFT("%[a1]", "4")
        DEPTHWISE_SHIFT_LEFT("%[a2]", "8") DEPTHWISE_SHIFT_LEFT("%[a3]", "12")
        "sub %[quad], %[quad], #16\n\t"
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
        REQUANTIZE_MULTIPLY("%[a0]", "r4") REQUANTIZE_MULTIPLY("%[a1]", "r5")
        REQUANTIZE_MULTIPLY("%[a2]", "r6") REQUANTIZE_MULTIPLY("%[a3]", "r8")
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
        DEPTHWISE_DOUBLE("%[a0]", "r4") DEPTHWISE_DOUBLE("%[a1]", "r5")
        DEPTHWISE_DOUBLE("%[a2]", "r6") DEPTHWISE_DOUBLE("%[a3]", "r8")
        "b 3b\n"
        "5:"
        : [quad] "+r"(quad), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3),
          [offset] "+r"(offset), [t] "=&r"(t), [output] "+r"(output)
        : [end] "r"(offsets_end), [offsets] "m"(offsets), [x_end] "m"(x_end), [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "cc", "memory");
    /* clang-format on */
    return output;
}

#endif
