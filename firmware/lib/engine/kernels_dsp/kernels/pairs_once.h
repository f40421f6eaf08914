/* SPDX-License-Identifier: Apache-2.0
 * Pairs of rows that are numbers and rescaled by one rounding, times four columns, for cores with the DSP
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
        "beq 24f\n\t"
        FOUR_NUMBERS_LOOP
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

#endif
