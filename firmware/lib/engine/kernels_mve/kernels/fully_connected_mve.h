/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8, four units at a time, for cores with MVE. Bit-exact with fully_connected_s8.h. Several rows of
 * whole blocks are a convolution of as many pixels, see conv_mve.h.
 *
 * 64 multiply-accumulates are 10 instructions.
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_MVE_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_MVE_H

#include "kernels/mve.h"

struct fully_connected_mve_s8 {
    int32_t batches; /* rows of the input */
    int32_t depth;  /* bytes of an input row */
    int32_t units;  /* bytes of an output row; the tables have rows of zeros up to a multiple of 4 */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    const int8_t *fours; /* see mve.h; the bias has the input's zero point in it, what fills up a block weights of 0 */
};

#define FULLY_CONNECTED_MVE_ROW(sum)                                                                                   \
    "vldrb.8 q1, [%[w]], #16\n\t"                                                                                      \
    "vmladava.s8 " sum ", q1, q0\n\t"

/* clang-format off */
#define FULLY_CONNECTED_MVE_RIGHT                                                                                      \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    "mov r0, #1\n\t"                                                                                                   \
    MVE_MULTIPLY("q0", "q2")                                                                                           \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_AWAY_FROM_ZERO("q0", "r0") MVE_SHIFT("q0", "q2")
#define FULLY_CONNECTED_MVE_LEFT                                                                                       \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_SHIFT_LEFT("q0", "q2")                                                                                         \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_MULTIPLY("q0", "q2")                                                                                           \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_AWAY_IF_SHIFTED("q0", "q2", "q3") MVE_SHIFT("q0", "q2")

/* One row. The loop over its blocks leaves out what the last one lacks: nothing is read beyond the input's end. */
#define FULLY_CONNECTED_MVE_MULTIPLY(requantize) \
    const int8_t *w = p->fours, *x; \
    const int32_t depth = p->depth, zero_point = p->zero_point, min = p->clamp_min, max = p->clamp_max; \
    int32_t units = p->units; \
    __asm__ volatile(                                                                                                  \
        "ldr r0, %[min]\n\t"                                                                                           \
        "ldr r2, %[max]\n\t"                                                                                           \
        "vdup.32 q6, r0\n\t"                                                                                           \
        "vdup.32 q7, r2\n"                                                                                             \
        "1:\n\t"                                                                                                       \
        "ldmia %[w]!, {r0, r2, r4, r6}\n\t"                                                                       \
        "mov %[x], %[input]\n\t"                                                                                       \
        "dlstp.8 lr, %[depth]\n"                                                                                          \
        "2:\n\t"                                                                                                       \
        "vldrb.8 q0, [%[x]], #16\n\t"                                                                                  \
        FULLY_CONNECTED_MVE_ROW("r0") FULLY_CONNECTED_MVE_ROW("r2")                                                    \
        FULLY_CONNECTED_MVE_ROW("r4") FULLY_CONNECTED_MVE_ROW("r6")                                                    \
        "letp lr, 2b\n\t"                                                                                                \
        "vmov q0[2], q0[0], r0, r4\n\t"                                                                                \
        "vmov q0[3], q0[1], r2, r6\n\t"                                                                                \
        "vctp.32 %[units]\n\t"                                                                                         \
        requantize                                                                                                     \
        "ldr r0, %[zero_point]\n\t"                                                                                    \
        "vadd.i32 q0, q0, r0\n\t"                                                                                      \
        "vmax.s32 q0, q0, q6\n\t"                                                                                      \
        "vmin.s32 q0, q0, q7\n\t"                                                                                      \
        "vpst\n\t"                                                                                                     \
        "vstrbt.32 q0, [%[output]], #4\n\t"                                                                            \
        "subs %[units], %[units], #4\n\t"                                                                              \
        "bgt 1b"                                                                                                       \
        : [w] "+&r"(w), [x] "=&r"(x), [output] "+&l"(output), [units] "+&r"(units)                  \
        : [input] "r"(input), [depth] "r"(depth), [zero_point] "m"(zero_point), [min] "m"(min), [max] "m"(max)       \
        : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "q3", "q6", "q7", "cc", "memory")
/* clang-format on */

typedef void fully_connected_mve_multiplier(const int8_t *input, int8_t *output,
                                            const struct fully_connected_mve_s8 *p);

KERNEL_INLINE void fully_connected_mve(fully_connected_mve_multiplier *multiply, const int8_t *input, int8_t *output,
                                       const struct fully_connected_mve_s8 *p) {
    for (int32_t left = p->batches; left > 0; left--) {
        multiply(input, output, p);
        input += p->depth;
        output += p->units;
    }
}

#endif
