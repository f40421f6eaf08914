/* SPDX-License-Identifier: Apache-2.0
 * Two pairs of rows at a time, times one column, for cores with the DSP extension: each input that is loaded serves four
 * rows. See kernels/pairs.h for the tables.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_QUADS_H
#define TINYPROOF_KERNELS_PAIRS_QUADS_H

#include "kernels/pairs_steps.h"

/* clang-format off */
/* Two inputs, and eight: 32 multiply-accumulates in 29 instructions. */
#define TWO_PAIRS_NUMBERS(a, b, w, x) PAIRS_SMLAD(b, w, x) "sxtb16 " w ", " w "\n\t" PAIRS_SMLAD(a, w, x)
#define TWO_PAIRS_FOUR(a, b, weights, even, odd)                                                                       \
    "ldrd r4, r5, [" weights "], #8\n\t" TWO_PAIRS_NUMBERS(a, b, "r4", even) TWO_PAIRS_NUMBERS(a, b, "r5", odd)
#define TWO_PAIRS_EIGHT                                                                                                \
    "ldmia %[x]!, {r9, r10, r11, r12}\n\t"                                                                             \
    TWO_PAIRS_FOUR("%[a0]", "%[b0]", "%[weights]", "r9", "r10")                                                        \
    TWO_PAIRS_FOUR("%[a0]", "%[b0]", "%[weights]", "r11", "r12")                                                       \
    TWO_PAIRS_FOUR("%[a1]", "%[b1]", "r6", "r9", "r10")                                                                \
    TWO_PAIRS_FOUR("%[a1]", "%[b1]", "r6", "r11", "r12")

/* The sums of a pair, whose numbers lie at r8, become outputs by one rounding, or `twice`. */
#define TWO_PAIRS_END(a, b, twice, next)                                                                               \
    "add r8, r8, #8\n\t"                                                                                               \
    "ldmia r8!, {r4, r5, r9, r10}\n\t"                                                                                 \
    "sub " b ", " b ", " a "\n\t"                                                                                      \
    "tst r4, #0x80000000\n\t"                                                                                          \
    "bne " twice "f\n\t"                                                                                               \
    ONCE_MULTIPLY(a, "r4", "r9") ONCE_MULTIPLY(b, "r5", "r10") ONCE_CLAMP(a) ONCE_CLAMP_256(b)                         \
    next ":\n\t"
/* Both biases are in the difference; one of them belongs there behind the shift. What is branched to has 16 bits, see
 * ALIGN_LOOP. */
#define TWO_PAIRS_TWICE(a, b, twice, next)                                                                             \
    twice ":\n\t"                                                                                                      \
    "ldr r6, %[rounding]\n\t"                                                                                          \
    "ldrd r11, r12, [r8, #-24]\n\t"                                                                                    \
    "add " b ", " b ", r11\n\t"                                                                                        \
    "sub " b ", " b ", r12\n\t"                                                                                        \
    "add " b ", r12, " b ", asr #8\n\t"                                                                                \
    REQUANTIZE_MULTIPLY(a, "r4") REQUANTIZE_MULTIPLY(b, "r5")                                                          \
    REQUANTIZE_AWAY_FROM_ZERO(a) REQUANTIZE_AWAY_FROM_ZERO(b)                                                          \
    REQUANTIZE_SHIFT(a, "r9") REQUANTIZE_SHIFT(b, "r10")                                                               \
    REQUANTIZE_ROUND(a, "r6") REQUANTIZE_ROUND(b, "r6") REQUANTIZE_CLAMP(a) REQUANTIZE_CLAMP(b)                      \
    "b " next "b\n"

/* As pairs_times_one, for an even number of pairs, at least two, that all are numbers and shifted to the right, and a
 * column of whole eights. */
static __attribute__((noinline)) void pairs_quads_times_one(const struct pairs_walk *walk, const word *column,
                                                            const word *column_end, int8_t *output) {
    int32_t a0, b0, a1, b1;
    const int8_t *weights = walk->weights;
    const int32_t *scales = walk->scales, *scales_end = walk->scales_end;
    const int32_t rounding = walk->rounding, eights = (int32_t)((uint32_t)(column_end - column) / 4 % 4);
    const int32_t row = (int32_t)(column_end - column) * 4; /* bytes of a pair */
    const word *x = column;
    __asm__ volatile(
        "ldr r8, %[scales]\n\t"
        ALIGN_LOOP
        "1:\n\t"
        "ldr %[a0], [r8]\n\t"
        "ldr %[b0], [r8, #4]\n\t"
        "ldr %[a1], [r8, #24]\n\t"
        "ldr %[b1], [r8, #28]\n\t"
        "ldr r8, %[end]\n\t"
        "ldr r6, %[row]\n\t"
        "ldr r4, %[eights]\n\t"
        "ldr %[x], %[column]\n\t"
        "add r6, %[weights], r6\n\t"
        "tst r4, #3\n\t"
        "bne 8f\n\t"
        ALIGN_LOOP
        "20:\n\t" TWO_PAIRS_EIGHT "\n"
        "21:\n\t" TWO_PAIRS_EIGHT "\n"
        "22:\n\t" TWO_PAIRS_EIGHT "\n"
        "23:\n\t" TWO_PAIRS_EIGHT
        "cmp %[x], r8\n\t"
        "bne 20b\n\t"
        "ldr r8, %[scales]\n\t"
        "mov %[weights], r6\n\t"
        TWO_PAIRS_END("%[a0]", "%[b0]", "4", "5")
        TWO_PAIRS_END("%[a1]", "%[b1]", "6", "7")
        "ldr r6, %[output]\n\t"
        "ldr r4, %[scales_end]\n\t"
        "strb %[a0], [r6], #1\n\t"
        "strb %[b0], [r6], #1\n\t"
        "strb %[a1], [r6], #1\n\t"
        "strb %[b1], [r6], #1\n\t"
        "str r6, %[output]\n\t"
        "str r8, %[scales]\n\t"
        "cmp r8, r4\n\t"
        "bne 1b\n\t"
        "b 9f\n"
        "8:\n\t"
        "cmp r4, #2\n\t"
        "beq 22b\n\t"
        "cmp r4, #1\n\t"
        "beq 23b\n\t"
        "b 21b\n"
        TWO_PAIRS_TWICE("%[a0]", "%[b0]", "4", "5")
        TWO_PAIRS_TWICE("%[a1]", "%[b1]", "6", "7")
        "9:"
        : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [b0] "=&r"(b0), [a1] "=&r"(a1), [b1] "=&r"(b1),
          [output] "+m"(output), [scales] "+m"(scales)
        : [end] "m"(column_end), [column] "m"(column), [scales_end] "m"(scales_end), [eights] "m"(eights),
          [row] "m"(row), [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}
/* clang-format on */

#endif
