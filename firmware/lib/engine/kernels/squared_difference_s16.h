/* SPDX-License-Identifier: Apache-2.0
 * SQUARED_DIFFERENCE, int16. Bit-exact with TFLite Micro (micro/kernels/squared_difference.cc): both operands on
 * twice the larger scale, the square of their difference to the output's.
 */
#ifndef TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S16_H
#define TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S16_H

#include "broadcast.h"

struct squared_difference_s16 {
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

KERNEL_INLINE int16_t squared_difference_s16_element(int32_t x1, int32_t x2, const struct squared_difference_s16 *p) {
    const int32_t a = requantize((x1 - p->zero_point1), p->multiplier1, p->shift1, 0, 0);
    const int32_t b = requantize((x2 - p->zero_point2), p->multiplier2, p->shift2, 0, 0);
    const int32_t y = requantize((a - b) * (a - b), p->multiplier, p->shift, 0, p->zero_point);
    return (int16_t)clamp_s32(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void squared_difference_s16(const int16_t *input1, const int16_t *input2, int16_t *output,
                                          const struct squared_difference_s16 *p) {
    BROADCAST(p, int16_t, int16_t, *output = squared_difference_s16_element(*x1, *x2, p));
}

#endif
