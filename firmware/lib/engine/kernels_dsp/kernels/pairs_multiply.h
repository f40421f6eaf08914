/* SPDX-License-Identifier: Apache-2.0
 * Pairs of rows of any form, rescaled by two roundings, times four columns, or any times one, for cores with the DSP
 * extension. See kernels/pairs.h for the tables.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_MULTIPLY_H
#define TINYPROOF_KERNELS_PAIRS_MULTIPLY_H

#include "kernels/pairs_steps.h"

/* Takes sums of row a, then of row b. */
#define PAIRS_EACH(step, a0, a1, a2, a3, b0, b1, b2, b3)                                                               \
    step(a0) step(a1) step(a2) step(a3) step(b0) step(b1) step(b2) step(b3)

/* clang-format off */
/* Two inputs of four columns times bytes: 13 instructions where numbers take 12. */
#define FOUR_BYTES                                                                                                     \
    "ldr %[w], [%[weights]], #4\n\t"                                                                                   \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    "sxtb16 %[t], %[w]\n\t"                                                                                            \
    "sxtb16 %[w], %[w], ror #8\n\t"                                                                                    \
    PAIRS_SMLAD("%[a0]", "%[t]", "%[x0]") PAIRS_SMLAD("%[a1]", "%[t]", "%[x1]")                                        \
    PAIRS_SMLAD("%[b0]", "%[w]", "%[x0]") PAIRS_SMLAD("%[b1]", "%[w]", "%[x1]")                                        \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    PAIRS_SMLAD("%[a2]", "%[t]", "%[x0]") PAIRS_SMLAD("%[a3]", "%[t]", "%[x1]")                                        \
    PAIRS_SMLAD("%[b2]", "%[w]", "%[x0]") PAIRS_SMLAD("%[b3]", "%[w]", "%[x1]")

/* clang-format on */

/* Columns from `columns` to `columns_end`, interleaved by words: the outputs of column k lie k * `units` bytes behind
 * those of the first, and the last one's `fourth` bytes. Where that is 2 * `units`, the third column's remain there.
 */
static __attribute__((noinline)) void pairs_times_four(const struct pairs_walk *walk, const word *columns,
                                                       const word *columns_end, int8_t *output, int32_t units,
                                                       int32_t fourth) {
    int32_t a0, a1, a2, a3, b0, b1, b2, b3, t, w, x0, x1;
    const int8_t *weights = walk->weights;
    const int32_t *scales = walk->scales, *scales_end = walk->scales_end;
    const int32_t rounding = walk->rounding, fours = (int32_t)((uint32_t)(columns_end - columns) / 8 % 4);
    const word *x = columns;
    /* Sixteen inputs at a time; where the first are fewer, the loop is entered further on. */
    /* clang-format off */
    __asm__ volatile(
        ALIGN_LOOP "1:\n\t"
        "ldr %[t], %[scales]\n\t"
        "ldr %[x], %[columns]\n\t"
        "ldr %[w], %[fours]\n\t"
        "ldr %[x0], [%[t], #16]\n\t"
        "ldrd %[a0], %[b0], [%[t]]\n\t"
        "mov %[a1], %[a0]\n\t"
        "mov %[a2], %[a0]\n\t"
        "mov %[a3], %[a0]\n\t"
        "tst %[x0], #0x40000000\n\t"
        "bne 4f\n\t"
        "mov %[b0], %[a0]\n\t"
        "mov %[b1], %[a0]\n\t"
        "mov %[b2], %[a0]\n\t"
        "mov %[b3], %[a0]\n\t"
        "cmp %[w], #0\n\t"
        "beq 20f\n\t"
        "cmp %[w], #2\n\t"
        "beq 22f\n\t"
        "cmp %[w], #1\n\t"
        "beq 23f\n\t"
        "b 21f\n\t"
        FOUR_NUMBERS_LOOP
        "ldr %[t], %[scales]\n\t"
        "ldr %[w], [%[t], #4]\n\t"
        "sub %[b0], %[b0], %[a0]\n\t"
        "sub %[b1], %[b1], %[a1]\n\t"
        "sub %[b2], %[b2], %[a2]\n\t"
        "sub %[b3], %[b3], %[a3]\n\t"
        "add %[b0], %[w], %[b0], asr #8\n\t"
        "add %[b1], %[w], %[b1], asr #8\n\t"
        "add %[b2], %[w], %[b2], asr #8\n\t"
        "add %[b3], %[w], %[b3], asr #8\n\t"
        "b 7f\n"
        "4:\n\t"
        "mov %[b1], %[b0]\n\t"
        "mov %[b2], %[b0]\n\t"
        "mov %[b3], %[b0]\n\t"
        "tst %[w], #1\n\t"
        "bne 31f\n\t"
        ALIGN_LOOP "30:\n\t" FOUR_BYTES FOUR_BYTES "\n"
        "31:\n\t" FOUR_BYTES FOUR_BYTES
        "ldr %[t], %[end]\n\t"
        "cmp %[x], %[t]\n\t"
        "bne 30b\n\t"
        "ldr %[t], %[scales]\n\t"
        ALIGN_LOOP
        "7:\n\t"
        "ldrd %[x0], %[x1], [%[t], #16]\n\t"
        "add %[x], %[t], #24\n\t"
        "ldrd %[t], %[w], [%[t], #8]\n\t"
        "str %[x], %[scales]\n\t"
        "tst %[x0], #0x20000000\n\t"
        "bne 9f\n\t"
        REQUANTIZE_MULTIPLY("%[a0]", "%[t]") REQUANTIZE_MULTIPLY("%[a1]", "%[t]")
        REQUANTIZE_MULTIPLY("%[a2]", "%[t]") REQUANTIZE_MULTIPLY("%[a3]", "%[t]")
        REQUANTIZE_MULTIPLY("%[b0]", "%[w]") REQUANTIZE_MULTIPLY("%[b1]", "%[w]")
        REQUANTIZE_MULTIPLY("%[b2]", "%[w]") REQUANTIZE_MULTIPLY("%[b3]", "%[w]") "\n"
        "8:\n\t"
        "ldr %[t], %[rounding]\n\t"
        PAIRS_EACH(REQUANTIZE_AWAY_FROM_ZERO, "%[a0]", "%[a1]", "%[a2]", "%[a3]", "%[b0]", "%[b1]", "%[b2]", "%[b3]")
        REQUANTIZE_SHIFT("%[a0]", "%[x0]") REQUANTIZE_SHIFT("%[a1]", "%[x0]")
        REQUANTIZE_SHIFT("%[a2]", "%[x0]") REQUANTIZE_SHIFT("%[a3]", "%[x0]")
        REQUANTIZE_SHIFT("%[b0]", "%[x1]") REQUANTIZE_SHIFT("%[b1]", "%[x1]")
        REQUANTIZE_SHIFT("%[b2]", "%[x1]") REQUANTIZE_SHIFT("%[b3]", "%[x1]")
        "ldr %[w], %[output]\n\t"
        "ldr %[x0], %[units]\n\t"
        "ldr %[x1], %[fourth]\n\t"
        REQUANTIZE_ROUND("%[a0]", "%[t]") REQUANTIZE_ROUND("%[a1]", "%[t]")
        REQUANTIZE_ROUND("%[a2]", "%[t]") REQUANTIZE_ROUND("%[a3]", "%[t]")
        REQUANTIZE_ROUND("%[b0]", "%[t]") REQUANTIZE_ROUND("%[b1]", "%[t]")
        REQUANTIZE_ROUND("%[b2]", "%[t]") REQUANTIZE_ROUND("%[b3]", "%[t]")
        PAIRS_EACH(REQUANTIZE_CLAMP, "%[a0]", "%[a1]", "%[a2]", "%[a3]", "%[b0]", "%[b1]", "%[b2]", "%[b3]")
        FOUR_STORES
        "ldr %[t], %[scales_end]\n\t"
        "str %[w], %[output]\n\t"
        "cmp %[x], %[t]\n\t"
        "bne 1b\n\t"
        "b 10f\n"
        "9:\n\t" /* one of both rows is shifted to the left, or not at all */
        "asr %[x], %[x0], #8\n\t"
        REQUANTIZE_SHIFT_LEFT("%[a0]", "%[x]") REQUANTIZE_SHIFT_LEFT("%[a1]", "%[x]")
        REQUANTIZE_SHIFT_LEFT("%[a2]", "%[x]") REQUANTIZE_SHIFT_LEFT("%[a3]", "%[x]")
        "asr %[x], %[x1], #8\n\t"
        REQUANTIZE_SHIFT_LEFT("%[b0]", "%[x]") REQUANTIZE_SHIFT_LEFT("%[b1]", "%[x]")
        REQUANTIZE_SHIFT_LEFT("%[b2]", "%[x]") REQUANTIZE_SHIFT_LEFT("%[b3]", "%[x]")
        REQUANTIZE_MULTIPLY("%[a0]", "%[t]") REQUANTIZE_MULTIPLY("%[a1]", "%[t]")
        REQUANTIZE_MULTIPLY("%[a2]", "%[t]") REQUANTIZE_MULTIPLY("%[a3]", "%[t]")
        REQUANTIZE_MULTIPLY("%[b0]", "%[w]") REQUANTIZE_MULTIPLY("%[b1]", "%[w]")
        REQUANTIZE_MULTIPLY("%[b2]", "%[w]") REQUANTIZE_MULTIPLY("%[b3]", "%[w]")
        "asr %[x], %[x0], #31\n\t"
        REQUANTIZE_DOUBLE("%[a0]", "%[x]", "%[t]") REQUANTIZE_DOUBLE("%[a1]", "%[x]", "%[t]")
        REQUANTIZE_DOUBLE("%[a2]", "%[x]", "%[t]") REQUANTIZE_DOUBLE("%[a3]", "%[x]", "%[t]")
        "asr %[x], %[x1], #31\n\t"
        REQUANTIZE_DOUBLE("%[b0]", "%[x]", "%[t]") REQUANTIZE_DOUBLE("%[b1]", "%[x]", "%[t]")
        REQUANTIZE_DOUBLE("%[b2]", "%[x]", "%[t]") REQUANTIZE_DOUBLE("%[b3]", "%[x]", "%[t]")
        "ldr %[x], %[scales]\n\t"
        "b 8b\n"
        "10:"
        : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3),
          [b0] "=&r"(b0), [b1] "=&r"(b1), [b2] "=&r"(b2), [b3] "=&r"(b3), [t] "=&r"(t), [w] "=&r"(w), [x0] "=&r"(x0),
          [x1] "=&r"(x1), [output] "+m"(output), [scales] "+m"(scales)
        : [end] "m"(columns_end), [columns] "m"(columns), [scales_end] "m"(scales_end), [fours] "m"(fours),
          [units] "m"(units), [fourth] "m"(fourth), [rounding] "m"(rounding)
        : "cc", "memory");
    /* clang-format on */
}

/* Two inputs times bytes. */
#define ONE_BYTES(w, x)                                                                                                \
    "sxtb16 %[t], " w "\n\t"                                                                                           \
    "sxtb16 " w ", " w ", ror #8\n\t" PAIRS_SMLAD("%[a]", "%[t]", x) PAIRS_SMLAD("%[b]", w, x)

/* One column, for pairs of any form. */
static __attribute__((noinline)) void pairs_times_one(const struct pairs_walk *walk, const word *column,
                                                      const word *column_end, int8_t *output) {
    int32_t a, b, t;
    const int8_t *weights = walk->weights;
    const int32_t *scales = walk->scales, *scales_end = walk->scales_end;
    const int32_t rounding = walk->rounding, odd = (int32_t)((uint32_t)(column_end - column) / 2 % 4);
    const word *x = column;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldr r9, %[scales]\n\t"
        "ldr r10, %[odd]\n\t"
        "ldrd %[a], %[b], [r9]\n\t"
        "ldr r8, [r9, #8]\n\t"
        "tst r8, #0x80000000\n\t"
        "beq 13f\n\t"
        "ldr r8, [r9, #16]\n\t"
        "mov %[b], %[a]\n\t"
        "tst r8, #0x40000000\n\t"
        "bne 4f\n"
        "13:\n\t"
        "tst r10, #1\n\t"
        "beq 3f\n\t"
        "ldmia %[weights]!, {r4, r5}\n\t"
        "ldmia %[x]!, {r9, r10}\n\t"
        ONE_NUMBERS("r4", "r9") ONE_NUMBERS("r5", "r10")
        "ldr r10, %[odd]\n\t"
        "cmp %[x], %[end]\n\t"
        "beq 2f\n"
        "3:\n\t"
        "tst r10, #2\n\t"
        "bne 12f\n"
        "11:\n\t" ONE_EIGHT_NUMBERS "\n"
        "12:\n\t" ONE_EIGHT_NUMBERS
        "cmp %[x], %[end]\n\t"
        "bne 11b\n"
        "2:\n\t"
        "ldr r9, %[scales]\n\t"
        "sub %[b], %[b], %[a]\n\t"
        "ldr r8, [r9, #8]\n\t"
        "ldr r4, [r9, #4]\n\t"
        "tst r8, #0x80000000\n\t"
        "beq 14f\n\t"
        "add %[b], r4, %[b], asr #8\n\t"
        "b 7f\n"
        "14:\n\t" /* by one rounding */
        "add r9, r9, #8\n\t"
        "ldmia r9!, {r4, r5, r6, r8}\n\t"
        "ldr r11, %[output]\n\t"
        "ldr r12, %[scales_end]\n\t"
        "str r9, %[scales]\n\t"
        ONCE_MULTIPLY("%[a]", "r4", "r6") ONCE_MULTIPLY("%[b]", "r5", "r8")
        ONCE_CLAMP("%[a]") ONCE_CLAMP_256("%[b]")
        "b 15f\n"
        "4:\n\t"
        "ldr %[b], [r9, #4]\n\t"
        "tst r10, #1\n\t"
        "beq 6f\n\t"
        "ldmia %[weights]!, {r4, r5}\n\t"
        "ldmia %[x]!, {r9, r10}\n\t"
        ONE_BYTES("r4", "r9") ONE_BYTES("r5", "r10")
        "cmp %[x], %[end]\n\t"
        "beq 5f\n"
        "6:\n\t"
        "ldmia %[weights]!, {r4, r5, r6, r8}\n\t"
        "ldmia %[x]!, {r9, r10, r11, r12}\n\t"
        ONE_BYTES("r4", "r9") ONE_BYTES("r5", "r10") ONE_BYTES("r6", "r11") ONE_BYTES("r8", "r12")
        "cmp %[x], %[end]\n\t"
        "bne 6b\n"
        "5:\n\t"
        "ldr r9, %[scales]\n"
        "7:\n\t"
        "add r9, r9, #8\n\t"
        "ldmia r9!, {r4, r5, r6, r8}\n\t"
        "ldr r10, %[rounding]\n\t"
        "ldr r11, %[output]\n\t"
        "ldr r12, %[scales_end]\n\t"
        "str r9, %[scales]\n\t"
        "tst r6, #0x20000000\n\t"
        "bne 9f\n\t"
        REQUANTIZE_MULTIPLY("%[a]", "r4") REQUANTIZE_MULTIPLY("%[b]", "r5") "\n"
        "8:\n\t"
        REQUANTIZE_AWAY_FROM_ZERO("%[a]") REQUANTIZE_AWAY_FROM_ZERO("%[b]")
        REQUANTIZE_SHIFT("%[a]", "r6") REQUANTIZE_SHIFT("%[b]", "r8")
        REQUANTIZE_ROUND("%[a]", "r10") REQUANTIZE_ROUND("%[b]", "r10")
        REQUANTIZE_CLAMP("%[a]") REQUANTIZE_CLAMP("%[b]") "\n"
        "15:\n\t"
        "strb %[a], [r11], #1\n\t"
        "strb %[b], [r11], #1\n\t"
        "str r11, %[output]\n\t"
        "cmp r9, r12\n\t"
        "ldr %[x], %[column]\n\t"
        "bne 1b\n\t"
        "b 10f\n"
        "9:\n\t"
        "asr %[t], r6, #8\n\t" REQUANTIZE_SHIFT_LEFT("%[a]", "%[t]")
        "asr %[t], r8, #8\n\t" REQUANTIZE_SHIFT_LEFT("%[b]", "%[t]")
        REQUANTIZE_MULTIPLY("%[a]", "r4") REQUANTIZE_MULTIPLY("%[b]", "r5")
        "asr %[t], r6, #31\n\t" REQUANTIZE_DOUBLE("%[a]", "%[t]", "r4")
        "asr %[t], r8, #31\n\t" REQUANTIZE_DOUBLE("%[b]", "%[t]", "r4")
        "b 8b\n"
        "10:"
        : [weights] "+r"(weights), [x] "+r"(x), [a] "=&r"(a), [b] "=&r"(b), [t] "=&r"(t), [output] "+m"(output),
          [scales] "+m"(scales)
        : [end] "r"(column_end), [column] "m"(column), [scales_end] "m"(scales_end), [odd] "m"(odd),
          [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    /* clang-format on */
}

#endif
