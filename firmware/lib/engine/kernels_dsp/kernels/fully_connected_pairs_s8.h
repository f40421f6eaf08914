/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8, in pairs of units, for cores with the DSP extension. Bit-exact with kernels/, see there.
 * 16 multiply-accumulates are 16 instructions; see conv_pairs_s8.h for how a pair is multiplied.
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_S8_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_S8_H

#include "kernels/dsp.h"
#include "kernels/fully_connected_pairs_parameters.h"

/* Two inputs times a pair of rows. */
#define FULLY_CONNECTED_TWO(w, x)                                                                                      \
    "smlad %[p], " w ", " x ", %[p]\n\t"                                                                               \
    "sxtb16 " w ", " w "\n\t"                                                                                          \
    "smlad %[s], " w ", " x ", %[s]\n\t"

/* All pairs from `pair` to `pairs_end` times a column. `step` is that of the scales, in bytes. */
static __attribute__((noinline)) void fully_connected_multiply(const int16_t *pair, const int16_t *pairs_end,
                                                               const word *column, const word *column_end,
                                                               int8_t *output, const int32_t *scales, int32_t step,
                                                               int32_t rounding) {
    uint32_t p, s;
    const word *x = column;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldrd %[s], %[p], [%[pair]], #8\n"
        "2:\n\t"
        "ldmia %[pair]!, {r4, r5, r6, r8}\n\t"
        "ldmia %[x]!, {r9, r10, r11, r12}\n\t"
        FULLY_CONNECTED_TWO("r4", "r9") FULLY_CONNECTED_TWO("r5", "r10")
        FULLY_CONNECTED_TWO("r6", "r11") FULLY_CONNECTED_TWO("r8", "r12")
        "cmp %[x], %[end]\n\t"
        "bne 2b\n\t"
        "ldr r9, %[scales]\n\t"
        "ldr r10, %[step]\n\t"
        "sub %[p], %[p], %[s]\n\t"
        "ldmia r9, {r4, r5, r6, r8}\n\t"
        "add r9, r9, r10\n\t"
        "asr %[p], %[p], #8\n\t"
        REQUANTIZE_MULTIPLY("%[s]", "r4") REQUANTIZE_MULTIPLY("%[p]", "r5")
        "str r9, %[scales]\n\t"
        "ldr r9, %[rounding]\n\t"
        "ldr r10, %[output]\n\t"
        "ldr r11, %[pairs_end]\n\t"
        REQUANTIZE_AWAY_FROM_ZERO("%[s]") REQUANTIZE_AWAY_FROM_ZERO("%[p]")
        REQUANTIZE_SHIFT("%[s]", "r6") REQUANTIZE_SHIFT("%[p]", "r8")
        REQUANTIZE_ROUND("%[s]", "r9") REQUANTIZE_ROUND("%[p]", "r9")
        REQUANTIZE_CLAMP("%[s]") REQUANTIZE_CLAMP("%[p]")
        "strb %[s], [r10], #1\n\t"
        "strb %[p], [r10], #1\n\t"
        "str r10, %[output]\n\t"
        "cmp %[pair], r11\n\t"
        "ldr %[x], %[column]\n\t"
        "bne 1b"
        : [pair] "+r"(pair), [x] "+r"(x), [p] "=&r"(p), [s] "=&r"(s), [output] "+m"(output), [scales] "+m"(scales)
        : [end] "r"(column_end), [column] "m"(column), [pairs_end] "m"(pairs_end), [step] "m"(step),
          [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    /* clang-format on */
}

KERNEL_SHARED void fully_connected_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                            const struct fully_connected_pairs_s8 *p) {
    const int32_t depth = p->depth;
    const int16_t *end = p->pairs + (p->units / 2) * (depth + FULLY_CONNECTED_PAIR_HALVES);
    word *column = (word *)(void *)scratch;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        const word *column_end = widen(column, input, depth / 4, 2);
        fully_connected_multiply(p->pairs, end, column, column_end, output, p->scales, 4 * p->scales_step, p->rounding);
        input += depth;
        output += p->units;
    }
}

#endif
