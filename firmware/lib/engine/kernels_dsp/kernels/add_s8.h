/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, for cores with the DSP extension. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "kernels/add_s8_element.h"
#include "kernels/clamp_bytes.h"

/* Four at a time, written out: the bytes of two sums are loaded in a row, which then share cycles. `element` makes an output
 * of bytes `a` and `b`. */
#define ADD_TWO(element)                                                                                               \
    {                                                                                                                  \
        const int32_t a0 = x1[0], b0 = x2[0], a1 = x1[step1], b1 = x2[step2];                                          \
        *output++ = element(a0, b0);                                                                                   \
        *output++ = element(a1, b1);                                                                                   \
        x1 += 2 * step1;                                                                                               \
        x2 += 2 * step2;                                                                                               \
    }
#define ADD_FOURS(count, element)                                                                                      \
    int32_t left = count;                                                                                              \
    for (; left > 3; left -= 4) {                                                                                      \
        ADD_TWO(element)                                                                                               \
        ADD_TWO(element)                                                                                               \
    }                                                                                                                  \
    for (; left > 0; left--, x1 += step1, x2 += step2) {                                                               \
        *output++ = element(*x1, *x2);                                                                                 \
    }

/* The first operand is sign1 * 2^19 (x1 - zero_point1). The second one's two shifts to the right are one. Where it is
 * subtracted, its bits are turned over, which leaves it 1 short. */
KERNEL_INLINE void add_s8_row(const int8_t *x1, const int8_t *x2, int8_t *output, const struct add_s8 *p) {
    const int32_t factor1 = p->sign1 * (INT32_C(1) << 19), turned = p->sign2 >> 1;
    int32_t bias = -p->zero_point1 * factor1 - turned, zero2 = p->zero_point2 * (INT32_C(1) << 20);
    int32_t rounding = 1 + 2 * p->zero_point;
    const int32_t multiplier2 = p->multiplier2, shift2 = p->shift2 + 1, half2 = INT32_C(1) << p->shift2;
    const int32_t multiplier = p->multiplier, shift = p->shift, step1 = p->steps1[5], step2 = p->steps2[5];
    IN_REGISTER(bias);
    IN_REGISTER(zero2);
    IN_REGISTER(rounding);
#define ADD_SCALED(t) ((((t) + ((t) >> 31) + half2) >> shift2) ^ turned)
#define ADD_ONE(a, b)                                                                                                  \
    rescale_s8((a) * factor1 + bias + ADD_SCALED(high_multiply((b) * (INT32_C(1) << 20) - zero2, multiplier2)),        \
               multiplier, shift, rounding)
    ADD_FOURS(p->counts[5], ADD_ONE)
}

/* Both scales are the same, so that the second operand is as exact as the first. */
KERNEL_INLINE void add_s8_alike(const int8_t *x1, const int8_t *x2, int8_t *output, const struct add_s8 *p) {
    const int32_t factor1 = p->sign1 * (INT32_C(1) << 19), factor2 = p->sign2 * (INT32_C(1) << 19);
    const int32_t multiplier = p->multiplier, shift = p->shift, step1 = p->steps1[5], step2 = p->steps2[5];
    int32_t bias = -p->zero_point1 * factor1 - p->zero_point2 * factor2, rounding = 1 + 2 * p->zero_point;
    IN_REGISTER(bias);
    IN_REGISTER(rounding);
#define ADD_ALIKE(a, b) rescale_s8((a) * factor1 + ((b) * factor2 + bias), multiplier, shift, rounding)
    ADD_FOURS(p->counts[5], ADD_ALIKE)
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
    if (local.shift >= 0 && (local.shift2 >= 0 || alike)) {
        add_s8_rows(input1, input2, output, &local, alike);
        return;
    }
    BROADCAST(&local, int8_t, int8_t, *output = add_s8_element(*x1, *x2, &local));
}

#endif
