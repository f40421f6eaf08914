/* SPDX-License-Identifier: Apache-2.0
 * What mul_s8 knows of its layer, on any core, and one element of it.
 */
#ifndef TINYPROOF_KERNELS_MUL_S8_ELEMENT_H
#define TINYPROOF_KERNELS_MUL_S8_ELEMENT_H

#include "kernels/broadcast.h"

struct mul_s8 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t multiplier; /* encoded as in requantize.h, like the shift */
    int32_t shift;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int8_t mul_s8_element(int32_t x1, int32_t x2, const struct mul_s8 *p) {
    const int32_t product = (x1 - p->zero_point1) * (x2 - p->zero_point2);
    return clamp_s8(requantize(product, p->multiplier, p->shift, 0, p->zero_point), p->clamp_min, p->clamp_max);
}

#endif
