/* SPDX-License-Identifier: Apache-2.0
 * MUL, int8, for cores with the DSP extension. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_MUL_S8_H
#define TINYPROOF_KERNELS_MUL_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/mul_s8_element.h"

/* A row whose factor is below 1/2. */
KERNEL_INLINE void mul_s8_row(const int8_t *x1, const int8_t *x2, int8_t *output, const struct mul_s8 *p) {
    const int32_t zero_point1 = p->zero_point1, zero_point2 = p->zero_point2, multiplier = p->multiplier;
    const int32_t shift = p->shift, step1 = p->steps1[5], step2 = p->steps2[5];
    int32_t rounding = 1 + 2 * p->zero_point;
    IN_REGISTER(rounding);
    for (int32_t left = p->counts[5]; left > 0; left--, x1 += step1, x2 += step2) {
        *output++ = rescale_s8((*x1 - zero_point1) * (*x2 - zero_point2), multiplier, shift, rounding);
    }
}

KERNEL_INLINE void mul_s8_rows(const int8_t *input1, const int8_t *input2, int8_t *output, const struct mul_s8 *p) {
    BROADCAST_ROWS(p, int8_t, int8_t, {
        mul_s8_row(x1, x2, output, p);
        clamp_bytes(output, p->counts[5], p->clamp_min, p->clamp_max);
    });
}

KERNEL_INLINE void mul_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct mul_s8 *p) {
    const struct mul_s8 local = *p; /* an int8 written may alias *p, but not this */
    if (local.shift >= 0) {
        mul_s8_rows(input1, input2, output, &local);
        return;
    }
    BROADCAST(&local, int8_t, int8_t, *output = mul_s8_element(*x1, *x2, &local));
}

#endif
