/* SPDX-License-Identifier: Apache-2.0
 * PRELU, int8 with slopes of int8. Bit-exact with TFLite Micro (reference/prelu.h).
 */
#ifndef TINYPROOF_KERNELS_PRELU_S8_H
#define TINYPROOF_KERNELS_PRELU_S8_H

#include "broadcast.h"

struct prelu_s8 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t multiplier1; /* of input1 where it is positive: encoded as in requantize.h, like the shifts */
    int32_t shift1;
    int32_t multiplier2; /* of input1 times its slope */
    int32_t shift2;
    int32_t zero_point;
};

KERNEL_INLINE int8_t prelu_s8_element(int32_t x1, int32_t slope, const struct prelu_s8 *p) {
    const int32_t x = x1 - p->zero_point1;
    const int32_t y = x >= 0 ? requantize(x, p->multiplier1, p->shift1, 0, p->zero_point)
                             : requantize(x * (slope - p->zero_point2), p->multiplier2, p->shift2, 0, p->zero_point);
    return (int8_t)clamp_s32(y, INT8_MIN, INT8_MAX);
}

KERNEL_INLINE void prelu_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct prelu_s8 *p) {
    BROADCAST(p, int8_t, int8_t, *output = prelu_s8_element(*x1, *x2, p));
}

#endif
