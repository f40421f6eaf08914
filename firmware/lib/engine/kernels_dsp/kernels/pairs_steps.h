/* SPDX-License-Identifier: Apache-2.0
 * Steps of the products of pairs of rows and columns, for cores with the DSP extension. See kernels/pairs.h for the
 * tables.
 *
 * A word of weights holds those of two rows for two inputs: SXTB16 makes them two words of int16, and each serves all
 * columns. Of numbers 256 b + a one SMLAD takes both rows, so that one word needs no unpacking.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_STEPS_H
#define TINYPROOF_KERNELS_PAIRS_STEPS_H

#include "kernels/dsp.h"
#include "kernels/pairs.h"

#define PAIRS_SMLAD(a, w, x) "smlad " a ", " w ", " x ", " a "\n\t"

/* clang-format off */
/* Two inputs of four columns times numbers 256 b + a: 16 multiply-accumulates in 12 instructions. */
#define FOUR_NUMBERS                                                                                                   \
    "ldr %[w], [%[weights]], #4\n\t"                                                                                   \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    PAIRS_SMLAD("%[b0]", "%[w]", "%[x0]") PAIRS_SMLAD("%[b1]", "%[w]", "%[x1]")                                        \
    "sxtb16 %[t], %[w]\n\t"                                                                                            \
    PAIRS_SMLAD("%[a0]", "%[t]", "%[x0]") PAIRS_SMLAD("%[a1]", "%[t]", "%[x1]")                                        \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    PAIRS_SMLAD("%[b2]", "%[w]", "%[x0]") PAIRS_SMLAD("%[b3]", "%[w]", "%[x1]")                                        \
    PAIRS_SMLAD("%[a2]", "%[t]", "%[x0]") PAIRS_SMLAD("%[a3]", "%[t]", "%[x1]")
/* The first of them, on two sums that have the biases of all columns. */
#define FOUR_NUMBERS_FIRST                                                                                             \
    "ldr %[w], [%[weights]], #4\n\t"                                                                                   \
    "ldrd %[x0], %[x1], [%[x], #8]\n\t"                                                                                \
    "sxtb16 %[t], %[w]\n\t"                                                                                            \
    "smlad %[b2], %[w], %[x0], %[b0]\n\t"                                                                              \
    "smlad %[b3], %[w], %[x1], %[b0]\n\t"                                                                              \
    "smlad %[a2], %[t], %[x0], %[a0]\n\t"                                                                              \
    "smlad %[a3], %[t], %[x1], %[a0]\n\t"                                                                              \
    "ldrd %[x0], %[x1], [%[x]], #16\n\t"                                                                               \
    "smlad %[b1], %[w], %[x1], %[b0]\n\t"                                                                              \
    "smlad %[a1], %[t], %[x1], %[a0]\n\t"                                                                              \
    PAIRS_SMLAD("%[b0]", "%[w]", "%[x0]") PAIRS_SMLAD("%[a0]", "%[t]", "%[x0]")
/* Sixteen inputs at a time up to `end`; where the first are fewer, it is entered at 21, 22 or 23. */
#define FOUR_NUMBERS_LOOP                                                                                              \
    ALIGN_LOOP                                                                                                         \
    "20:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"                                                                           \
    "21:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"                                                                           \
    "22:\n\t" FOUR_NUMBERS FOUR_NUMBERS "\n"                                                                           \
    "23:\n\t" FOUR_NUMBERS FOUR_NUMBERS                                                                                \
    "ldr %[t], %[end]\n\t"                                                                                             \
    "cmp %[x], %[t]\n\t"                                                                                               \
    "bne 20b\n\t"                                                                                                      \
    ALIGN_LOOP

/* Outputs of four pixels, the first at w; x0 and x1 are the places of the others. */
#define FOUR_STORES                                                                                                    \
    "strb %[a3], [%[w], %[x1]]\n\t"                                                                                    \
    "strb %[a2], [%[w], %[x0], lsl #1]\n\t"                                                                            \
    "strb %[a1], [%[w], %[x0]]\n\t"                                                                                    \
    "strb %[a0], [%[w]], #1\n\t"                                                                                       \
    "strb %[b3], [%[w], %[x1]]\n\t"                                                                                    \
    "strb %[b2], [%[w], %[x0], lsl #1]\n\t"                                                                            \
    "strb %[b1], [%[w], %[x0]]\n\t"                                                                                    \
    "strb %[b0], [%[w]], #1\n\t"

/* Two inputs of one column times numbers, and eight. */
#define ONE_NUMBERS(w, x) PAIRS_SMLAD("%[b]", w, x) "sxtb16 " w ", " w "\n\t" PAIRS_SMLAD("%[a]", w, x)
#define ONE_EIGHT_NUMBERS                                                                                              \
    "ldmia %[weights]!, {r4, r5, r6, r8}\n\t"                                                                          \
    "ldmia %[x]!, {r9, r10, r11, r12}\n\t" ONE_NUMBERS("r4", "r9") ONE_NUMBERS("r5", "r10") ONE_NUMBERS("r6", "r11")   \
        ONE_NUMBERS("r8", "r12")
/* clang-format on */

/* What functions know of their pairs and their outputs. */
struct pairs_walk {
    const int8_t *weights;
    const int32_t *scales;
    const int32_t *scales_end; /* at least one pair */
    int32_t rounding;
};

#endif
