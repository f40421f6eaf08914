/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, for cores with MVE. Bit-exact with kernels/, see there. Four elements are 17 instructions.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "kernels/add_s8_element.h"
#include "kernels/elementwise.h"

/* See elementwise.h. The first operand is sign1 * 2^19 (x1 - zero_point1), as x1 * factor1 + bias1. */
static __attribute__((noinline)) void add_mve(const int8_t *x1, const int8_t *x2, int8_t *output, int32_t count,
                                              const void *layer) {
    const struct add_s8 *p = layer;
    const int32_t factor1 = p->sign1 * (INT32_C(1) << 19), bias1 = -p->zero_point1 * factor1;
    const int32_t right2 = mve_right(p->shift2), right = mve_right(p->shift);
    const int32_t min = p->clamp_min, max = p->clamp_max, zero_point = p->zero_point;
    int32_t number;
    /* clang-format off */
    __asm__ volatile(
        "ldr %[number], %[factor1]\n\t"
        "vdup.32 q3, %[number]\n\t"
        "ldr %[number], %[right2]\n\t"
        "vdup.32 q4, %[number]\n\t"
        "ldr %[number], %[right]\n\t"
        "vdup.32 q5, %[number]\n\t"
        "ldr %[number], %[min]\n\t"
        "vdup.32 q6, %[number]\n\t"
        "ldr %[number], %[max]\n\t"
        "vdup.32 q7, %[number]\n\t"
        "ldr %[number], %[zero_point]\n\t"
        "dlstp.32 lr, %[count]\n"
        "1:\n\t"
        "vldrb.s32 q1, [%[x2]], #4\n\t"
        "vldrb.s32 q0, [%[x1]], #4\n\t"
        "vsub.i32 q1, q1, %[zero_point2]\n\t"
        "vshl.i32 q1, q1, #20\n\t"
        "vmlas.s32 q0, q3, %[bias1]\n\t"
        MVE_MULTIPLY("q1", "%[multiplier2]") MVE_AWAY_FROM_ZERO("q1", "%[rounds2]") MVE_SHIFT("q1", "q4")
        "vmla.s32 q0, q1, %[sign2]\n\t"
        MVE_MULTIPLY("q0", "%[multiplier]") MVE_AWAY_FROM_ZERO("q0", "%[rounds]") MVE_SHIFT("q0", "q5")
        "vadd.i32 q0, q0, %[number]\n\t"
        "vmax.s32 q0, q0, q6\n\t"
        "vmin.s32 q0, q0, q7\n\t"
        "vstrb.32 q0, [%[output]], #4\n\t"
        "letp lr, 1b"
        : [x1] "+&l"(x1), [x2] "+&l"(x2), [output] "+&l"(output), [count] "+&r"(count), [number] "=&r"(number)
        : [bias1] "r"(bias1), [zero_point2] "r"(p->zero_point2), [sign2] "r"(p->sign2),
          [multiplier2] "r"(mve_multiplier(p->multiplier2)), [rounds2] "r"(mve_rounds(p->shift2)),
          [multiplier] "r"(mve_multiplier(p->multiplier)), [rounds] "r"(mve_rounds(p->shift)),
          [factor1] "m"(factor1), [right2] "m"(right2), [right] "m"(right), [min] "m"(min), [max] "m"(max),
          [zero_point] "m"(zero_point)
        : "lr", "q0", "q1", "q3", "q4", "q5", "q6", "q7", "cc", "memory");
    /* clang-format on */
}

KERNEL_INLINE void add_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p) {
    ELEMENTWISE(p, add_mve);
}

#endif
