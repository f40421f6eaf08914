/* SPDX-License-Identifier: Apache-2.0
 * SQUARED_DIFFERENCE, int8. Bit-exact with TFLite Micro (micro/kernels/squared_difference.cc): both operands with
 * 7 more bits, on twice the larger scale, the square of their difference to the output's.
 */
#ifndef TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S8_H
#define TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S8_H

#include "broadcast.h"

struct squared_difference_s8 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t multiplier1; /* of input1, input2 and the square: encoded as in requantize.h, like the shifts */
    int32_t shift1;
    int32_t multiplier2;
    int32_t shift2;
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int8_t squared_difference_s8_element(int32_t x1, int32_t x2, const struct squared_difference_s8 *p) {
    const int32_t a = requantize((x1 - p->zero_point1) * (INT32_C(1) << 7), p->multiplier1, p->shift1, 0, 0);
    const int32_t b = requantize((x2 - p->zero_point2) * (INT32_C(1) << 7), p->multiplier2, p->shift2, 0, 0);
    const int32_t y = requantize((a - b) * (a - b), p->multiplier, p->shift, 0, p->zero_point);
    return (int8_t)clamp_s32(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void squared_difference_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                                         const struct squared_difference_s8 *p) {
    BROADCAST(p, int8_t, int8_t, *output = squared_difference_s8_element(*x1, *x2, p));
}

#endif
