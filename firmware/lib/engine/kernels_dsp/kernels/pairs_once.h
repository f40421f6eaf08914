/* SPDX-License-Identifier: Apache-2.0
 * Pairs of rows that are numbers and rescaled by one rounding, times four columns, or one, for cores with the DSP
 * extension: what most layers are. See kernels/pairs.h for the tables.
 *
 * The second sum is 256 times as much as it is in pairs.h, and so is its offset: neither is shifted before the clamp.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_ONCE_H
#define TINYPROOF_KERNELS_PAIRS_ONCE_H

#include "kernels/pairs_steps.h"

/* As pairs_times_four; `scales` is kept 8 bytes behind, so that what loads a pair's last numbers moves it on. */
static __attribute__((noinline)) void pairs_once_times_four(const struct pairs_walk *walk, const word *columns,
                                                            const word *columns_end, int8_t *output, int32_t units,
                                                            int32_t fourth) {
    int32_t a0, a1, a2, a3, b0, b1, b2, b3, t, w, x0, x1;
    const int8_t *weights = walk->weights;
    const int32_t *scales = walk->scales, *scales_end = walk->scales_end - 2;
    const int32_t fours = (int32_t)((uint32_t)(columns_end - columns - 8) / 8 % 4), places[2] = {units, fourth};
    const word *x = columns;
    /* clang-format off */
    __asm__ volatile(
        "ldr %[t], %[scales]\n\t"
        "sub %[t], %[t], #8\n\t"
        "str %[t], %[scales]\n\t"
        ALIGN_LOOP "1:\n\t"
        "ldr %[t], %[scales]\n\t"
        "ldr %[x], %[columns]\n\t"
        "ldrd %[a0], %[b0], [%[t], #8]\n\t"
        FOUR_NUMBERS_FIRST FOUR_NUMBERS
        "ldr %[w], %[fours]\n\t"
        "cmp %[w], #3\n\t"
        "beq 21f\n\t"
        "cmp %[w], #1\n\t"
        "beq 23f\n\t"
        "cmp %[w], #2\n\t"
        "beq 22f\n\t"
        "ldr %[t], %[end]\n\t"
        "cmp %[x], %[t]\n\t"
        "beq 24f\n\t" ALIGN_LOOP
        "20:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"
        "21:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"
        "22:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"
        "23:\n\t" FOUR_NUMBERS FOUR_NUMBERS
        "ldr %[t], %[end]\n\t"
        "cmp %[x], %[t]\n\t"
        "bne 20b\n\t"
        ALIGN_LOOP
        "24:\n\t"
        "ldr %[t], %[scales]\n\t"
        "sub %[b0], %[b0], %[a0]\n\t"
        "sub %[b1], %[b1], %[a1]\n\t"
        "sub %[b2], %[b2], %[a2]\n\t"
        "sub %[b3], %[b3], %[a3]\n\t"
        "ldrd %[x0], %[x1], [%[t], #16]\n\t"
        "ldrd %[w], %[x], [%[t], #24]!\n\t"
        "str %[t], %[scales]\n\t"
        ONCE_MULTIPLY("%[a0]", "%[x0]", "%[w]") ONCE_MULTIPLY("%[a1]", "%[x0]", "%[w]")
        ONCE_MULTIPLY("%[a2]", "%[x0]", "%[w]") ONCE_MULTIPLY("%[a3]", "%[x0]", "%[w]")
        ONCE_MULTIPLY("%[b0]", "%[x1]", "%[x]") ONCE_MULTIPLY("%[b1]", "%[x1]", "%[x]")
        ONCE_MULTIPLY("%[b2]", "%[x1]", "%[x]") ONCE_MULTIPLY("%[b3]", "%[x1]", "%[x]")
        "ldr %[w], %[output]\n\t"
        "ldrd %[x0], %[x1], %[places]\n\t"
        ONCE_CLAMP("%[a0]") ONCE_CLAMP("%[a1]") ONCE_CLAMP("%[a2]") ONCE_CLAMP("%[a3]")
        ONCE_CLAMP_256("%[b0]") ONCE_CLAMP_256("%[b1]") ONCE_CLAMP_256("%[b2]") ONCE_CLAMP_256("%[b3]")
        FOUR_STORES
        "ldr %[x], %[scales_end]\n\t"
        "str %[w], %[output]\n\t"
        "cmp %[t], %[x]\n\t"
        "bne 1b"
        : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3),
          [b0] "=&r"(b0), [b1] "=&r"(b1), [b2] "=&r"(b2), [b3] "=&r"(b3), [t] "=&r"(t), [w] "=&r"(w), [x0] "=&r"(x0),
          [x1] "=&r"(x1), [output] "+m"(output), [scales] "+m"(scales)
        : [end] "m"(columns_end), [columns] "m"(columns), [scales_end] "m"(scales_end), [fours] "m"(fours),
          [places] "m"(places)
        : "cc", "memory");
    /* clang-format on */
}

/* As pairs_times_one. */
static __attribute__((noinline)) void pairs_once_times_one(const struct pairs_walk *walk, const word *column,
                                                           const word *column_end, int8_t *output) {
    int32_t a, b;
    const int8_t *weights = walk->weights;
    const int32_t *scales = walk->scales, *scales_end = walk->scales_end;
    const int32_t odd = (int32_t)((uint32_t)(column_end - column) / 2 % 4);
    const word *x = column;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldr r9, %[scales]\n\t"
        "ldr r10, %[odd]\n\t"
        "ldrd %[a], %[b], [r9]\n\t"
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
        ALIGN_LOOP "11:\n\t" ONE_EIGHT_NUMBERS "\n"
        "12:\n\t" ONE_EIGHT_NUMBERS
        "cmp %[x], %[end]\n\t"
        "bne 11b\n"
        "2:\n\t"
        "ldr r9, %[scales]\n\t"
        "sub %[b], %[b], %[a]\n\t"
        "add r9, r9, #8\n\t"
        "ldmia r9!, {r4, r5, r6, r8}\n\t"
        "ldr r11, %[output]\n\t"
        "ldr r12, %[scales_end]\n\t"
        "str r9, %[scales]\n\t"
        ONCE_MULTIPLY("%[a]", "r4", "r6") ONCE_MULTIPLY("%[b]", "r5", "r8")
        ONCE_CLAMP("%[a]") ONCE_CLAMP_256("%[b]")
        "strb %[a], [r11], #1\n\t"
        "strb %[b], [r11], #1\n\t"
        "str r11, %[output]\n\t"
        "cmp r9, r12\n\t"
        "ldr %[x], %[column]\n\t"
        "bne 1b"
        : [weights] "+r"(weights), [x] "+r"(x), [a] "=&r"(a), [b] "=&r"(b), [output] "+m"(output), [scales] "+m"(scales)
        : [end] "r"(column_end), [column] "m"(column), [scales_end] "m"(scales_end), [odd] "m"(odd)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    /* clang-format on */
}

#endif
