/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int16. Bit-exact with TFLite Micro (reference/add.h, AddElementwise; reference/sub.h): as add_s8.h with 15
 * more bits instead of 20, so that the operand with the larger scale (input1 here) is shifted by 14.
 */
#ifndef TINYPROOF_KERNELS_ADD_S16_H
#define TINYPROOF_KERNELS_ADD_S16_H

#include "broadcast.h"

struct add_s16 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t sign1; /* 1 or -1 */
    int32_t sign2;
    int32_t multiplier2; /* of input2, then of the sum: encoded as in requantize.h, like the shifts */
    int32_t shift2;
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int16_t add_s16_element(int32_t x1, int32_t x2, const struct add_s16 *p) {
    const int32_t scaled1 = (x1 - p->zero_point1) * (INT32_C(1) << 14);
    const int32_t scaled2 = requantize((x2 - p->zero_point2) * (INT32_C(1) << 15), p->multiplier2, p->shift2, 0, 0);
    const int32_t sum = p->sign1 * scaled1 + p->sign2 * scaled2;
    /* The zero point apart: what is rescaled may fill 32 bits. */
    const int32_t y = requantize(sum, p->multiplier, p->shift, 0, 0) + p->zero_point;
    return (int16_t)clamp_s32(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void add_s16(const int16_t *input1, const int16_t *input2, int16_t *output, const struct add_s16 *p) {
    BROADCAST(p, int16_t, int16_t, *output = add_s16_element(*x1, *x2, p));
}

#endif
