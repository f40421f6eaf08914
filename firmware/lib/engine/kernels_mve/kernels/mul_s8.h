/* SPDX-License-Identifier: Apache-2.0
 * MUL, int8, for cores with MVE. Bit-exact with kernels/, see there. Four elements are 14 instructions.
 */
#ifndef TINYPROOF_KERNELS_MUL_S8_H
#define TINYPROOF_KERNELS_MUL_S8_H

#include "kernels/elementwise.h"
#include "kernels/mul_s8_element.h"

/* See elementwise.h. */
static __attribute__((noinline)) void mul_mve(const int8_t *x1, const int8_t *x2, int8_t *output, int32_t count,
                                              const void *layer) {
    const struct mul_s8 *p = layer;
    const int32_t left = mve_left(p->shift), right = mve_right(p->shift), min = p->clamp_min, max = p->clamp_max;
    const int32_t zero_point = p->zero_point;
    int32_t number;
    /* clang-format off */
    __asm__ volatile(
        "ldr %[number], %[left]\n\t"
        "vdup.32 q3, %[number]\n\t"
        "ldr %[number], %[right]\n\t"
        "vdup.32 q5, %[number]\n\t"
        "ldr %[number], %[min]\n\t"
        "vdup.32 q6, %[number]\n\t"
        "ldr %[number], %[max]\n\t"
        "vdup.32 q7, %[number]\n\t"
        "ldr %[number], %[zero_point]\n\t"
        "dlstp.32 lr, %[count]\n"
        "1:\n\t"
        "vldrb.s32 q0, [%[x1]], #4\n\t"
        "vldrb.s32 q1, [%[x2]], #4\n\t"
        "vsub.i32 q0, q0, %[zero_point1]\n\t"
        "vsub.i32 q1, q1, %[zero_point2]\n\t"
        "vmul.i32 q0, q0, q1\n\t"
        MVE_SHIFT_LEFT("q0", "q3") MVE_MULTIPLY("q0", "%[multiplier]") MVE_AWAY_FROM_ZERO("q0", "%[rounds]")
        MVE_SHIFT("q0", "q5")
        "vadd.i32 q0, q0, %[number]\n\t"
        "vmax.s32 q0, q0, q6\n\t"
        "vmin.s32 q0, q0, q7\n\t"
        "vstrb.32 q0, [%[output]], #4\n\t"
        "letp lr, 1b"
        : [x1] "+&l"(x1), [x2] "+&l"(x2), [output] "+&l"(output), [count] "+&r"(count), [number] "=&r"(number)
        : [zero_point1] "r"(p->zero_point1), [zero_point2] "r"(p->zero_point2),
          [multiplier] "r"(mve_multiplier(p->multiplier)), [rounds] "r"(mve_rounds(p->shift)),
          [left] "m"(left), [right] "m"(right), [min] "m"(min), [max] "m"(max), [zero_point] "m"(zero_point)
        : "lr", "q0", "q1", "q3", "q5", "q6", "q7", "cc", "memory");
    /* clang-format on */
}

KERNEL_INLINE void mul_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct mul_s8 *p) {
    ELEMENTWISE(p, mul_mve);
}

#endif
