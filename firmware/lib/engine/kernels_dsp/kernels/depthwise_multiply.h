/* SPDX-License-Identifier: Apache-2.0
 * The inner loop of depthwise_quads_s8, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H
#define TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H

#include "kernels/depthwise_walk.h"
#include "kernels/dsp.h"

/* Four channels at one offset, their sums in r0 to r3. r6 and r8 are free, later loaded with multipliers like r4 and r5. */
#define DEPTHWISE_TAP                                                                                                  \
    "ldr r5, [%[offset]], #4\n\t"                                                                                      \
    "ldrd r6, r8, [%[quad]], #8\n\t"                                                                                   \
    "ldr r5, [%[x], r5]\n\t"                                                                                           \
    "sxtb16 r4, r5\n\t"                                                                                                \
    "sxtb16 r5, r5, ror #8\n\t"                                                                                        \
    "smlabb r0, r4, r6, r0\n\t"                                                                                        \
    "smlatt r2, r4, r6, r2\n\t"                                                                                        \
    "smlabb r1, r5, r8, r1\n\t"                                                                                        \
    "smlatt r3, r5, r8, r3\n\t"

/* The shift of a scaling, whose second byte lies at `place` from `quad` on. */
#define DEPTHWISE_SHIFT_LEFT(a, place) "ldrsb %[end], [%[quad], #" place "]\n\t" REQUANTIZE_SHIFT_LEFT(a, "%[end]")
#define DEPTHWISE_DOUBLE(a, scaling)                                                                                   \
    "and %[end], " a ", " scaling ", asr #31\n\t"                                                                      \
    "qadd " a ", " a ", %[end]\n\t"

/* Four channels after the other, from `x` on: inputs at x + offset. Returns the quads behind theirs. */
static __attribute__((noinline)) const int16_t *depthwise_fours(const int16_t *quad, const int8_t *x, int8_t *output,
                                                                const struct depthwise_walk *walk) {
    const int32_t *offset = (const int32_t *)walk->offsets[0], *end = (const int32_t *)walk->offsets[1];
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldmia %[quad]!, {r0, r1, r2, r3}\n\t"
        ALIGN_LOOP "2:\n\t" DEPTHWISE_TAP DEPTHWISE_TAP DEPTHWISE_TAP "cmp %[offset], %[end]\n\t"
        "bne 2b\n\t"
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
        "tst r4, #0x80000000\n\t"
        "bne 6f\n\t"
        "ldrd %[end], %[offset], [%[quad]], #8\n\t"
        ONCE_MULTIPLY("r0", "r4", "%[end]") ONCE_MULTIPLY("r1", "r5", "%[offset]")
        "ldrd %[end], %[offset], [%[quad]], #8\n\t"
        ONCE_MULTIPLY("r2", "r6", "%[end]") ONCE_MULTIPLY("r3", "r8", "%[offset]")
        ONCE_CLAMP("r0") ONCE_CLAMP("r1") ONCE_CLAMP("r2") ONCE_CLAMP("r3") "\n"
        "7:\n\t"
        "ldrd r4, r5, %[outputs]\n\t"
        "ldrd %[offset], %[end], %[offsets]\n\t"
        "add %[x], %[x], #4\n\t"
        "strb r0, [%[output]]\n\t"
        "strb r1, [%[output], r5]\n\t"
        "add %[output], %[output], r5, lsl #1\n\t"
        "cmp %[x], r4\n\t"
        "strb r2, [%[output]]\n\t"
        "strb r3, [%[output], r5]\n\t"
        "add %[output], %[output], r5, lsl #1\n\t"
        "bne 1b\n\t"
        "b 5f\n"
        "6:\n\t"
        "ldr %[end], [%[quad]]\n\t"
        "tst %[end], #0x20000000\n\t"
        "bne 4f\n\t"
        REQUANTIZE_MULTIPLY("r0", "r4") REQUANTIZE_MULTIPLY("r1", "r5")
        REQUANTIZE_MULTIPLY("r2", "r6") REQUANTIZE_MULTIPLY("r3", "r8")
        "ldmia %[quad]!, {r4, r5, r6, r8}\n"
        "3:\n\t"
        "ldr %[offset], %[rounding]\n\t"
        REQUANTIZE_AWAY_FROM_ZERO("r0") REQUANTIZE_AWAY_FROM_ZERO("r1")
        REQUANTIZE_AWAY_FROM_ZERO("r2") REQUANTIZE_AWAY_FROM_ZERO("r3")
        REQUANTIZE_SHIFT("r0", "r4") REQUANTIZE_SHIFT("r1", "r5")
        REQUANTIZE_SHIFT("r2", "r6") REQUANTIZE_SHIFT("r3", "r8")
        REQUANTIZE_ROUND("r0", "%[offset]") REQUANTIZE_ROUND("r1", "%[offset]")
        REQUANTIZE_ROUND("r2", "%[offset]") REQUANTIZE_ROUND("r3", "%[offset]")
        REQUANTIZE_CLAMP("r0") REQUANTIZE_CLAMP("r1") REQUANTIZE_CLAMP("r2") REQUANTIZE_CLAMP("r3")
        "b 7b\n"
        "4:\n\t" /* one of the four is shifted to the left, or not at all */
        DEPTHWISE_SHIFT_LEFT("r0", "1") DEPTHWISE_SHIFT_LEFT("r1", "5")
        DEPTHWISE_SHIFT_LEFT("r2", "9") DEPTHWISE_SHIFT_LEFT("r3", "13")
        REQUANTIZE_MULTIPLY("r0", "r4") REQUANTIZE_MULTIPLY("r1", "r5")
        REQUANTIZE_MULTIPLY("r2", "r6") REQUANTIZE_MULTIPLY("r3", "r8")
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
        DEPTHWISE_DOUBLE("r0", "r4") DEPTHWISE_DOUBLE("r1", "r5")
        DEPTHWISE_DOUBLE("r2", "r6") DEPTHWISE_DOUBLE("r3", "r8")
        "b 3b\n"
        "5:"
        : [quad] "+r"(quad), [x] "+r"(x), [offset] "+r"(offset), [end] "+r"(end), [output] "+r"(output)
        : [offsets] "m"(walk->offsets), [outputs] "m"(walk->outputs), [rounding] "m"(walk->rounding)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "cc", "memory");
    /* clang-format on */
    return quad;
}

#endif
