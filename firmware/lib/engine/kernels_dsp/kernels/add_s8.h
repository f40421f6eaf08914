/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, for cores with the DSP extension. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "kernels/add_s8_element.h"
#include "kernels/clamp_bytes.h"

/* The first operand is 2^20 / 2 times x1 - zero_point1. Halving the sum of its double and the second's rounds as halving
 * the second alone does. */
KERNEL_INLINE void add_s8_row(const int8_t *x1, const int8_t *x2, int8_t *output, const struct add_s8 *p) {
    const int32_t zero2 = p->zero_point2 * (INT32_C(1) << 20), bias = 1 - p->zero_point1 * (INT32_C(1) << 20);
    const int32_t multiplier2 = p->multiplier2, shift2 = p->shift2, multiplier = p->multiplier, shift = p->shift;
    const int32_t rounding = 1 + 2 * p->zero_point, step1 = p->steps1[5], step2 = p->steps2[5];
#pragma GCC unroll 4
    for (int32_t left = p->counts[5]; left > 0; left--, x1 += step1, x2 += step2) {
        const int32_t t = high_multiply(*x2 * (INT32_C(1) << 20) - zero2, multiplier2);
        const int32_t twice = ((t + (t >> 31)) >> shift2) + (*x1 * (INT32_C(1) << 20) + bias);
        *output++ = rescale_s8(twice >> 1, multiplier, shift, rounding);
    }
}

/* Both scales are the same, so that the second operand is as exact as the first. */
KERNEL_INLINE void add_s8_alike(const int8_t *x1, const int8_t *x2, int8_t *output, const struct add_s8 *p) {
    const int32_t zero = (p->zero_point1 + p->zero_point2) * (INT32_C(1) << 19), multiplier = p->multiplier;
    const int32_t shift = p->shift, rounding = 1 + 2 * p->zero_point, step1 = p->steps1[5], step2 = p->steps2[5];
    for (int32_t left = p->counts[5]; left > 0; left--, x1 += step1, x2 += step2) {
        *output++ = rescale_s8((*x1 + *x2) * (INT32_C(1) << 19) - zero, multiplier, shift, rounding);
    }
}

KERNEL_INLINE void add_s8_rows(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p,
                               int32_t alike) {
    BROADCAST_ROWS(p, int8_t, int8_t, {
        if (alike) {
            add_s8_alike(x1, x2, output, p);
        } else {
            add_s8_row(x1, x2, output, p);
        }
        clamp_bytes(output, p->counts[5], p->clamp_min, p->clamp_max);
    });
}

KERNEL_INLINE void add_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p) {
    const struct add_s8 local = *p; /* an int8 written may alias *p, but not this */
    const int32_t alike = local.shift2 == -1 && local.multiplier2 == INT32_MIN;
    if (local.shift >= 0 && (local.shift2 >= 0 || alike) && local.sign1 == 1 && local.sign2 == 1) {
        add_s8_rows(input1, input2, output, &local, alike);
        return;
    }
    BROADCAST(&local, int8_t, int8_t, *output = add_s8_element(*x1, *x2, &local));
}

#endif
