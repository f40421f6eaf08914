/* SPDX-License-Identifier: Apache-2.0
 * PRELU, int16 with slopes of int8. Bit-exact with TFLite Micro (reference/prelu.h).
 */
#ifndef TINYPROOF_KERNELS_PRELU_S16_H
#define TINYPROOF_KERNELS_PRELU_S16_H

#include "broadcast.h"

struct prelu_s16 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t multiplier1; /* of input1 where it is positive: encoded as in requantize.h, like the shifts */
    int32_t shift1;
    int32_t multiplier2; /* of input1 times its slope */
    int32_t shift2;
    int32_t zero_point;
};

KERNEL_INLINE int16_t prelu_s16_element(int32_t x1, int32_t slope, const struct prelu_s16 *p) {
    const int32_t x = x1 - p->zero_point1;
    const int32_t y = x >= 0 ? requantize(x, p->multiplier1, p->shift1, 0, p->zero_point)
                             : requantize(x * (slope - p->zero_point2), p->multiplier2, p->shift2, 0, p->zero_point);
    return (int16_t)clamp_s32(y, INT16_MIN, INT16_MAX);
}

KERNEL_INLINE void prelu_s16(const int16_t *input1, const int8_t *input2, int16_t *output, const struct prelu_s16 *p) {
    BROADCAST(p, int16_t, int8_t, *output = prelu_s16_element(*x1, *x2, p));
}

#endif
